# shellcheck shell=sh
# Parts of bench.sh about several servers, and one that is asked for more than it
# can do.  Sourced.

# The rows of the database under $state hold together.
audited()
{
	"$build/server/sortied" --audit --database \
		"host=$state/run user=sortie dbname=sortie" \
		>"$T/audit.log" 2>&1 || {
		say "the audit found breaches"
		exit 1
	}
}

# Two processes as workers of one server, then as two servers on one database,
# against one process; the audit after each.
two_servers()
{
	start_server one
	say "one process, then two"
	run submit --count $bulk
	run pilots --count $bulk
	single=$ended_per_s
	stop_server

	start_server workers --workers 2
	run submit --count $bulk
	run pilots --count $bulk
	row "full queue, workers = 2" "$ended_per_s" jobs/s "$single" \
		"one process"
	audited

	"$build/server/sortied" --database \
		"host=$state/run user=sortie dbname=sortie" --state-dir \
		"$T/other" --blob-dir "$state/blobs" --listen "unix:$T/o" \
		--log-file "$T/other.log" >"$T/other.out.log" 2>&1 &
	server="$! $server"
	until curl -sf -o "$T/ready" --unix-socket "$T/o" http://sortie/readyz; do
		sleep 0.1
	done
	# More than both are to end, for each is granted some beyond its part.
	run submit --count $((bulk + 10000))
	"$bin/bench_pilots" --url "unix:$T/o" --token-file \
		"$state/admin-token" --join-token-file "$state/join-token" \
		--count $((bulk / 2)) >"$T/said.other" &
	other=$!
	run pilots --count $((bulk / 2))
	wait $other
	theirs=$(sed -n 's/^ended_per_s //p' "$T/said.other")
	row "full queue, two servers" "$(calc "$ended_per_s + $theirs")" \
		jobs/s "$single" "one process"
	audited
	stop_server
}

# The peak is the best of a few loads that it carries; then so many clients,
# each asking again as soon as it is answered and a second after it is refused,
# that as much again is refused.
overload()
{
	start_server overload
	say "more than it can carry"
	peak=0
	for n in 64 512 3000; do
		run submit --list 1 --in-flight $n --patient 1 \
			--count $overloads
		peak=$(calc "($submitted_per_s > $peak ? $submitted_per_s : $peak)")
	done
	count_cpu
	run submit --list 1 --in-flight 12000 --patient 1 --count $overloads
	counted_cpu $overloads
	row "submissions, 12,000 clients at once" "$submitted_per_s" jobs/s \
		"$peak" "the best without refusals"
	row "  refused for each that is taken" \
		"$(calc "$refused / $overloads")" "" 1 "twice what it can carry"
	row "  server CPU a job" "$server_cpu" us "$http_cpu" \
		"one bare exchange"
	row "  slowest answer" "$slowest_s" s 10 "what a lane lets wait"
	audited
	stop_server
}
