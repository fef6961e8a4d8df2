# shellcheck shell=sh
# Parts of bench.sh that take long: make bench LONG=1 runs them all, with JOBS
# jobs in the database (10,000,000 unless told; some GiB for each million);
# PARTS names one.  Sourced.

long_parts="lengths classes history old_snapshot endurance wide idle_pilots"
snapshot_s=${SNAPSHOT_S:-600}
jobs=${JOBS:-10000000}

# sql [OPTION...]: statements of standard input, in the server's database.
sql()
{
	psql -XqAt -v ON_ERROR_STOP=1 -h "$state/run" -U sortie "$@" sortie
}

# What the database does some time after much was put there is done now.
settle()
{
	echo "VACUUM ANALYZE sortie.job, sortie.queue, sortie.run, sortie.ended" |
		sql
}

# seconds PATH: the median of 21 times, each on a connection of its own.
seconds()
{
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do
		curl -sf -o "$T/answer" -w '%{time_total}\n' \
			--unix-socket "$state/s" -H @"$T/auth" \
			"http://sortie/api/v1$1"
	done | sort -n | sed -n 11p
}

# views WHAT JOB: what people look at.
views()
{
	for view in "a page of the list|/jobs?page_size=100" \
		"a page of those that wait|/jobs?state=defined&page_size=100" \
		"a page of those that failed|/jobs?state=failed&page_size=100" \
		"summary|/summary" "explain|/jobs/$2/explain" "top|/top" \
		"a page of events|/events?page_size=100"; do
		took=$(seconds "${view#*|}") || {
			say "${view#*|} is refused"
			exit 1
		}
		row "${view%|*}, $1" "$(calc "$took * 1000")" ms 50 \
			"what is wanted at most"
	done
}

# Claims and whole cycles when so many wait; then what people see of it.
lengths()
{
	start_server lengths
	with_token
	say "queues of 1,000 to $jobs"
	filled=0
	for length in 1000 100000 "$jobs"; do
		more=$((length + grants + 1000 - filled))
		run claims --fill 1 --classes 1 --count $more
		settle
		count_cpu
		run claims --classes 1 --profiles 1 --count $grants
		counted_cpu $grants
		filled=$((filled + more - grants))
		if [ "$length" = 1000 ]; then
			short_p99=$claim_p99_ms
			short_rate=$granted_per_s
			short_cpu=$database_cpu
			continue
		fi
		row "claim p99, $length queued" "$claim_p99_ms" ms \
			"$short_p99" "1,000 queued"
		row "claim, start, end, $length queued" "$granted_per_s" \
			jobs/s "$short_rate" "1,000 queued"
		row "  database CPU a job" "$database_cpu" us "$short_cpu" \
			"1,000 queued"
	done
	views "$jobs queued" $((jobs / 2))
	stop_server
}

# token NAME MEMBERS: makes $T/NAME.token.
token()
{
	curl -sf --unix-socket "$state/s" -H @"$T/auth" \
		-H 'Content-Type: application/json' \
		-d "{\"name\":\"$1\",$2}" http://sortie/api/v1/tokens |
		sed 's/.*"token": *"\([^"]*\)".*/\1/' >"$T/$1.token"
}

# Two owners with 99 % of the jobs, 500 classes, 60 sites, 1,000 pilots of 60
# profiles that hold what they are granted, so that they ask for some 2,600 a
# second; then all that they can be given.
classes()
{
	start_server classes
	with_token
	say "$jobs jobs in 500 classes"
	token big1 '"role":"user","owner":"big1"'
	token big2 '"role":"user","owner":"big2"'
	token all '"role":"join","everybody":true'
	run claims --fill 1 --classes 248 --sites 60 --count \
		$((jobs * 60 / 100)) --token-file "$T/big1.token"
	run claims --fill 1 --classes 247 --sites 60 --count \
		$((jobs * 39 / 100)) --token-file "$T/big2.token"
	run claims --fill 1 --classes 5 --sites 60 --count $((jobs / 100))
	settle
	count=$((jobs / 2 < 800000 ? jobs / 2 : 800000))
	run claims --sites 60 --pilots 1000 --profiles 60 --hold-ms 1500 \
		--count $count --join-token-file "$T/all.token"
	row "claim p99, 500 classes, 1,000 pilots" "$claim_p99_ms" ms 50 \
		"what is wanted at most"
	row "  grants of $count, of 2,670 asked for" "$granted_per_s" runs/s \
		2000 "what is wanted at least"
	run claims --sites 60 --pilots 60 --profiles 60 --count \
		$((count / 4)) --join-token-file "$T/all.token"
	row "  all that 60 pilots can be given" "$granted_per_s" runs/s 10000 \
		"what is wanted beyond"
	views "$jobs in 500 classes" $((jobs / 2))
	audited
	stop_server
}

# rates: $cycle_rate of jobs through a server, at $cycle_cpu each, and
# $drain_rate of a full queue.
rates()
{
	count_cpu
	run pilots --count $cycles --submit 1
	counted_cpu "$ended"
	cycle_rate=$ended_per_s cycle_cpu=$database_cpu
	run submit --count $bulk
	run pilots --count $bulk
	drain_rate=$ended_per_s
}

# The same work before and after so many jobs have ended; beside a dump of
# all that.
history()
{
	start_server history
	with_token
	say "$jobs ended jobs"
	rates
	rates
	before_cycle=$cycle_rate before_drain=$drain_rate
	before_cpu=$cycle_cpu
	sql -v jobs="$jobs" -f "$here/history.sql"
	settle
	rates
	row "submit to end, $jobs have ended" "$cycle_rate" jobs/s \
		"$before_cycle" "before"
	row "  database CPU a job" "$cycle_cpu" us "$before_cpu" "before"
	row "full queue, $jobs have ended" "$drain_rate" jobs/s \
		"$before_drain" "before"
	# More than both are to end, for each is granted some beyond its part.
	run submit --count $((bulk * 2 + 10000))
	run pilots --count $bulk
	beside=$ended_per_s
	pg_dump -Fc -f /dev/null -h "$state/run" -U sortie sortie &
	dump=$!
	run pilots --count $bulk
	kill -0 $dump 2>/dev/null || say "the dump ended before the drain"
	row "full queue beside a dump" "$ended_per_s" jobs/s "$beside" \
		"without it"
	kill $dump 2>/dev/null || :
	wait $dump || :
	views "$jobs ended" $((jobs / 2))
	audited
	stop_server

	say "forgetting them"
	serve --retention 1
	until [ "$(forgotten)" -gt 0 ]; do
		sleep 1
	done
	gone=$(forgotten)
	start=$(now)
	sleep 10
	row "forgotten by retention" \
		"$(calc "($(forgotten) - $gone) / ($(now) - $start)")" jobs/s \
		"$before_drain" "full queue before"
	stop_server
}

# A full queue beside a transaction that stays, as that of a dump does: what it
# might still see nobody cleans away, however dead it is.
old_snapshot()
{
	start_server snapshot
	round=$((jobs / 40))
	say "a queue of $jobs beside a snapshot of $snapshot_s s"
	run submit --count "$jobs"
	settle
	run pilots --count $round
	run pilots --count $round
	before=$ended_per_s
	echo "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1;
		SELECT pg_sleep($snapshot_s)" | sql >"$T/slept" 2>&1 &
	snapshot=$!
	start=$(now)
	left=$((jobs - 5 * round))
	at=0
	while [ $left -gt $((3 * round)) ] && [ "${at%.*}" -lt $snapshot_s ]; do
		run pilots --count $round
		left=$((left - round))
		at=$(calc "$(now) - $start")
		say "after ${at%.*} s: $ended_per_s jobs/s"
	done
	kill -0 $snapshot 2>/dev/null || say "the snapshot ended before"
	# A psql that is killed would leave it open.
	echo "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE pid <> pg_backend_pid() AND query LIKE '%pg_sleep(%'" |
		sql >"$T/ended"
	wait $snapshot || :
	row "full queue, in a snapshot's second ${at%.*}" "$ended_per_s" jobs/s \
		"$before" "before it"
	row "  all that ended meanwhile" \
		"$(calc "($jobs - 5 * $round - $left) / $at")" jobs/s \
		"$before" "before it"
	run pilots --count $round
	row "  after it" "$ended_per_s" jobs/s "$before" "before it"
	audited
	stop_server
}

# How many jobs there were once and are no more.
forgotten()
{
	echo "SELECT (SELECT last_value FROM sortie.job_number) - sum(n)
		FROM sortie.tally" | sql
}

# A million jobs, or a tenth of JOBS, one hundred thousand after the other.
endurance()
{
	start_server endurance
	say "one hundred thousand after the other"
	rounds=$((jobs / 10 / 100000))
	round=0
	while [ $round -lt $((rounds > 2 ? rounds : 2)) ]; do
		round=$((round + 1))
		run pilots --count 100000 --submit 1
		[ $round != 1 ] || first=$ended_per_s
		say "round $round: $ended_per_s jobs/s"
	done
	row "the last 100,000 of $((round * 100000))" "$ended_per_s" jobs/s \
		"$first" "the first 100,000"
	hot=$(echo "SELECT sum(pg_total_relation_size(oid)) / 1048576.0
		FROM pg_class WHERE relnamespace = 'sortie'::regnamespace
		AND relkind = 'r' AND relname IN ('queue', 'live', 'waiting',
		'tally', 'class_ready', 'class_head', 'pilot_room',
		'project')" | sql)
	row "  size of what should not grow" "$hot" MiB 64 \
		"what may be expected"
	echo "SELECT relname || ': ' || n_dead_tup || ' dead rows'
		FROM pg_stat_user_tables WHERE n_dead_tup > 10000" | sql |
		while read -r line; do say "$line"; done
	audited
	stop_server
}

# 5 % jobs of 16 cores among jobs of one, on two pilots of 16 cores that they
# keep busy for 96 %. Payloads take a tenth of the shape's times, 0.74 s.
wide()
{
	start_server wide
	say "wide jobs among narrow ones"
	load=$here/../../clients/sortie-load
	"$load" make wide --jobs "$wide_jobs" --seed 1 >"$T/wide.plan"
	"$load" run "$T/wide.plan" --speed 10.5 --stretch 0.1 --pilots 2 \
		--json --url "$url" --token-file "$state/admin-token" \
		--join-token-file "$state/join-token" >"$T/wide.json"
	python3 -c 'import json, sys
plan = [json.loads(line) for line in open(sys.argv[1])]
out = json.load(open(sys.argv[2]))
work = sum(e["job"].get("cores", 1) * e["wall_s"] / 10 for e in plan)
print("wide_wait_s", out["by"]["wide"]["wait"]["p99"])
print("payload_s", out["times"]["run"]["p50"])
print("busy", 100 * work / 32 / out["seconds"])' \
		"$T/wide.plan" "$T/wide.json" >"$T/said"
	eval "$(sed 's/ /=/' "$T/said")"
	row "wide jobs among narrow, p99 wait" "$wide_wait_s" s \
		"$(calc "3 * $payload_s + 60")" "3 median payloads and 60 s"
	row "  cores busy, of 96 % asked for" "$busy" "%" 95 \
		"what is wanted at least"
	stop_server
}

# 10,000 pilots that have nothing to do.
idle_pilots()
{
	start_server idle
	with_token
	say "$idle pilots that wait"
	empty=$(rss_kib)
	"$bin/bench_idle" --url "$url" --join-token-file "$state/join-token" \
		--pilots $idle &
	pilot=$!
	while :; do
		get /metrics >"$T/metrics"
		parked=$(sed -n 's/^sortie_claims_parked //p' "$T/metrics")
		[ "$parked" != $idle ] || break
		kill -0 $pilot || exit 1
		sleep 0.2
	done
	row "server memory, $idle parked claims" \
		"$(calc "$(rss_kib) / 1024")" MiB 120 "what is wanted at most"
	row "  of it a claim" "$(calc "($(rss_kib) - $empty) / $idle")" KiB \
		12 "what is wanted at most"
	count_cpu
	sleep 60
	# Each of 60 s as a share of one core.
	counted_cpu 600000
	row "  server CPU" "$server_cpu" "%" 10 "what is wanted at most"
	row "  database CPU" "$database_cpu" "%" 10 "what is wanted of both"
	stop_server
}
