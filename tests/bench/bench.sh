#!/bin/sh
# Measures Sortie against what this machine can do at best: starts a private
# server with its own database, runs the programs beside it, prints a table and
# writes out.json.  Every figure is compared within the run; none passes or
# fails.  Usage: [QUICK=1] [LONG=1 [JOBS=N]] [PARTS="PART..."] bench.sh
# BUILD-DIRECTORY
set -eu
LC_ALL=C
export LC_ALL
unset SORTIE_URL SORTIE_TOKEN SORTIE_JOIN_TOKEN SORTIED_CONFIG \
	SORTIED_DATABASE

here=$(cd "${0%/*}" && pwd)
build=${1:?usage: bench.sh BUILD-DIRECTORY}
build=$(cd "$build" && pwd)
bin=$build/tests/bench
if [ -n "${QUICK:-}" ]; then
	spawns=3000 lives=20000 singles=300 cycles=20000 bulk=40000
	queued=100000 grants=6000 requests=8000 singles_at_once=10000
	overloads=50000 idle=1000 wide_jobs=500
	flow_layers=32 flow_jobs=1000 flow_links=200
else
	spawns=10000 lives=100000 singles=2000 cycles=120000 bulk=200000
	queued=1000000 grants=60000 requests=40000 singles_at_once=60000
	overloads=200000 idle=10000 wide_jobs=4000
	flow_layers=100 flow_jobs=10000 flow_links=1000
fi

# Each pilot and client is a connection, on both sides.
# shellcheck disable=SC3045 # dash and bash know it
ulimit -n "$(ulimit -Hn)"

T=$(mktemp -d "${TMPDIR:-/tmp}/sortie-bench.XXXXXX")
# The database's user has to pass through.
chmod 711 "$T"
rows=$T/rows
: >"$rows"
server=
pilot=

say()
{
	echo "bench: $*" >&2
}

# Ends what is running, in order, and waits for it.
stop_server()
{
	for pid in $pilot $server; do
		kill "$pid" 2>/dev/null || continue
		wait "$pid" || :
	done
	pilot=
	server=
}

clean_up()
{
	status=$?
	trap - EXIT
	stop_server
	[ $status = 0 ] || tail -n 5 "$T"/*.log >&2 2>/dev/null || :
	rm -rf "$T"
	exit $status
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

# start_server NAME [OPTION...]: empty, with a database as people get it.
start_server()
{
	state=$T/$1
	mkdir "$state"
	chmod 711 "$state"
	url=unix:$state/s
	shift
	serve "$@"
}

# serve [OPTION...]: a server with what is in $state.
serve()
{
	"$build/server/sortied" --embedded "$state" --listen "$url" "$@" \
		--log-file "$state.log" >"$state.out.log" 2>&1 &
	server=$!
	until curl -sf -o "$T/ready" --unix-socket "$state/s" \
			http://sortie/readyz; do
		kill -0 $server 2>/dev/null || {
			say "the server does not start"
			tail -n 20 "$T"/*.log >&2
			exit 1
		}
		sleep 0.1
	done
	postmaster=$(sed -n 1p "$state/pg/postmaster.pid")
}

with_token()
{
	printf 'Authorization: Bearer %s\n' "$(cat "$state/admin-token")" \
		>"$T/auth"
}

# get PATH
get()
{
	curl -sf --unix-socket "$state/s" -H @"$T/auth" "http://sortie$1"
}

# run PROGRAM OPTION...: what it prints becomes variables with its names.
run()
{
	program=$1
	shift
	case $program in
	spawn | db) ;;
	http) set -- --url "$url" "$@" ;;
	submit) set -- --url "$url" --token-file "$state/admin-token" "$@" ;;
	*) set -- --url "$url" --token-file "$state/admin-token" \
		--join-token-file "$state/join-token" "$@" ;;
	esac
	"$bin/bench_$program" "$@" >"$T/said" || {
		say "bench_$program $* failed"
		exit 1
	}
	eval "$(sed -n 's/^\([a-z_0-9]*\) \([0-9.]*\)$/\1=\2/p' "$T/said")"
}

calc()
{
	awk "BEGIN { printf \"%.6g\", $1 }"
}

# row NAME VALUE UNIT LIMIT WHAT-THE-LIMIT-IS
row()
{
	printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$rows"
	say "$1: $2 $3"
}

# Processor time so far, in microseconds: cpu_of PID..., with the children
# that each has waited for.
cpu_of()
{
	for pid; do
		cat "/proc/$pid/stat" 2>/dev/null || :
	done | sed 's/.*) //' | awk -v hz="$(getconf CLK_TCK)" '
		{ t += $12 + $13 + $14 + $15 }
		END { printf "%.0f", t * 1000000 / hz }'
}

cpu_of_server()
{
	cpu_of $server
}

# All processes of the database, those that have ended too.
cpu_of_database()
{
	# shellcheck disable=SC2046 # a list of processes
	cpu_of "$postmaster" $(cat "/proc/$postmaster/task/$postmaster/children")
}

rss_kib()
{
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$server/status"
}

count_cpu()
{
	server_cpu=$(cpu_of_server)
	database_cpu=$(cpu_of_database)
}

# Since count_cpu, for each of so many jobs.
counted_cpu()
{
	server_cpu=$(calc "($(cpu_of_server) - $server_cpu) / $1")
	database_cpu=$(calc "($(cpu_of_database) - $database_cpu) / $1")
}

now()
{
	date +%s.%N
}

# The machine

limits()
{
	start_server limits
	say "limits of this machine"
	run http --count $requests
	run db --count $lives --database \
		"host=$state/run user=sortie dbname=sortie"
	count_cpu
	run http --count $requests
	counted_cpu "($requests * 1.25)"
	http_cpu=$server_cpu
	# Three exchanges and three commits, one after the other.
	latency_limit=$(calc "3 * $commit_p50_ms + 3 * $http_p50_ms")
	latency_limit_99=$(calc "3 * $commit_p99_ms + 3 * $http_p99_ms")
	stop_server
}

# The rows

# The same server by TCP, plain and with TLS, on ports that are free now.
tls()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$T/key.pem" -out "$T/cert.pem" -days 2 \
		-subj /CN=localhost 2>"$T/openssl.log"
	port=$((20000 + $$ % 10000))
	while grep -qiE "$(printf ':(%04X|%04X) ' $port $((port + 1)))" \
			/proc/net/tcp; do
		port=$((port + 2))
	done
	start_server tls --tls-cert "$T/cert.pem" --tls-key "$T/key.pem" \
		--listen "http://127.0.0.1:$port" \
		--listen "https://127.0.0.1:$((port + 1))"
	say "TLS"
	url=http://127.0.0.1:$port
	run http --count $requests
	plain_per_s=$http_per_s
	url=https://127.0.0.1:$((port + 1))
	run http --count $requests
	row "keep-alive requests with TLS" "$http_per_s" 1/s "$plain_per_s" \
		"the same without TLS"
	stop_server
}

one_at_a_time()
{
	start_server latency
	say "one job at a time"
	run latency --count $singles
	row "one job at a time, p50" "$latency_p50_ms" ms "$latency_limit" \
		"3 bare commits + 3 bare exchanges, p50"
	row "one job at a time, p99" "$latency_p99_ms" ms "$latency_limit_99" \
		"3 bare commits + 3 bare exchanges, p99"
	stop_server
}

# Spawning is measured before and after, for machines are not steady.
real_payloads()
{
	start_server payloads
	say "real payloads"
	with_token
	run spawn --count $((spawns / 2))
	before=$spawns_per_s
	curl -sf -o "$T/submitted" --unix-socket "$state/s" -H @"$T/auth" \
		-H 'Content-Type: application/json' -d "{\"replicas\":$spawns,
		\"name\":\"real\",\"argv\":[\"/bin/true\"]}" \
		http://sortie/api/v1/jobs
	start=$(now)
	"$build/pilot/sortie-pilot" --url "$url" --join-token-file \
		"$state/join-token" --spool "$T/spool" --one-user --slots 2 \
		--cores 2 --quiet --log-file "$T/pilot.log" \
		>"$T/pilot.out.log" 2>&1 &
	pilot=$!
	ended=0
	while [ "$ended" != $spawns ]; do
		get "/api/v1/jobs/counts?first=1&count=$spawns&wait=30" \
			>"$T/counts"
		ended=$(sed 's/.*"ended": *\([0-9]*\).*/\1/' "$T/counts")
		kill -0 $pilot || exit 1
	done
	took=$(calc "$(now) - $start")
	grep -q "\"finished\": *$spawns" "$T/counts" || {
		say "not all payloads finished: $(cat "$T/counts")"
		exit 1
	}
	kill $pilot
	wait $pilot || :
	pilot=
	run spawn --count $((spawns / 2))
	row "real payloads /bin/true, one pilot" "$(calc "$spawns / $took")" \
		jobs/s "$(calc "($before + $spawns_per_s) / 2")" \
		"bare vfork and exec, two in flight"
	stop_server
}

zero_work()
{
	start_server cycle
	say "zero-work pilots"
	count_cpu
	run pilots --count $cycles --submit 1
	counted_cpu "$ended"
	row "zero-work pilots, submit to end" "$ended_per_s" jobs/s \
		"$lives_per_s" "bare SQL, 3 commits a 100 jobs"
	row "database CPU a job, submit to end" "$database_cpu" us \
		"$life_cpu_us" "bare SQL, 3 commits a 100 jobs"
	row "server CPU a job, submit to end" "$server_cpu" us "$http_cpu" \
		"one bare exchange"

	run submit --count $bulk
	row "bulk submit, lists of 1,000" "$submitted_per_s" jobs/s \
		"$inserted_per_s" "bare SQL, 1,000 jobs a commit"
	count_cpu
	run pilots --count $bulk
	counted_cpu "$ended"
	row "zero-work pilots, full queue" "$ended_per_s" jobs/s \
		"$lives_per_s" "bare SQL, 3 commits a 100 jobs"
	row "database CPU a job, full queue" "$database_cpu" us \
		"$life_cpu_us" "bare SQL, 3 commits a 100 jobs"
	row "server CPU a job, full queue" "$server_cpu" us "$http_cpu" \
		"one bare exchange"
	stop_server
}

parts()
{
	start_server parts
	say "one list of 100,000 in parts"
	idle=$(calc "$(rss_kib) / 1024")
	run submit --count 100000 --list 5000 --parts 1
	row "bulk submit, 100,000 in parts" "$submitted_per_s" jobs/s \
		"$inserted_per_s" "bare SQL, 1,000 jobs a commit"
	row "server memory after 100,000" "$(calc "$(rss_kib) / 1024")" MiB \
		"$idle" "the same server when idle"
	stop_server
}

# Jobs one by one from many clients at once, as people's commands send them:
# with a key, so that repeating is harmless.
keys()
{
	start_server keys
	say "single submissions, with keys"
	set -- --count $singles_at_once --list 1 --in-flight 512
	run submit "$@"
	count_cpu
	run submit "$@"
	counted_cpu $singles_at_once
	plain=$submitted_per_s plain_cpu=$database_cpu
	for keys in "1 Idempotency-Keys" "2 keys of jobs"; do
		count_cpu
		run submit "$@" --keys "${keys%% *}"
		counted_cpu $singles_at_once
		row "single submissions with ${keys#* }" "$submitted_per_s" \
			jobs/s "$plain" "the same without"
		row "  database CPU a job" "$database_cpu" us "$plain_cpu" \
			"the same without"
	done
	stop_server
}

# The jobs of a workflow, and as many independent ones: before and after, for
# machines are not steady.
flow_row()
{
	name=$1 count=$2
	shift 2
	run submit --count "$count"
	run pilots --count "$count"
	before=$ended_per_s
	count_cpu
	run workflow "$@"
	counted_cpu "$count"
	flow_rate=$ended_per_s
	run submit --count "$count"
	run pilots --count "$count"
	row "$name" "$flow_rate" jobs/s \
		"$(calc "($before + $ended_per_s) / 2")" \
		"as many independent jobs, full queue"
	row "  database CPU a job, with making it" "$database_cpu" us \
		"$life_cpu_us" "bare SQL, 3 commits a 100 jobs"
}

workflows()
{
	start_server workflows
	say "workflows"
	run submit --count $flow_jobs
	run pilots --count $flow_jobs
	flow_row "workflow of $flow_layers layers of $flow_layers, after 2" \
		$((flow_layers * flow_layers)) \
		--layers $flow_layers --width $flow_layers --after 2
	flow_row "workflow of one, $flow_jobs and one" $((flow_jobs + 2)) \
		--shape fan --width $flow_jobs
	run db --count $((flow_links * 4)) --database \
		"host=$state/run user=sortie dbname=sortie"
	run workflow --layers $flow_links --width 1 --pilots 1 --slots 4
	row "a link of a chain of $flow_links, p50" "$gap_p50_ms" ms \
		"$(calc "2 * $commit_p50_ms + 2 * $http_p50_ms")" \
		"2 bare commits + 2 bare exchanges, p50"
	# Last, for vacuuming its edges would slow the others down.
	flow_row "workflow of $flow_layers layers of $flow_layers, after all" \
		$((flow_layers * flow_layers)) \
		--layers $flow_layers --width $flow_layers --after $flow_layers
	stop_server
}

long_queue()
{
	start_server queue
	say "many classes"
	run claims --fill 1 --classes 1 --count $((grants + 1000))
	run claims --classes 1 --profiles 1 --count $grants
	few_p99=$claim_p99_ms
	few_rate=$granted_per_s
	few_rss=$(calc "$(rss_kib) / 1024")
	run claims --fill 1 --count $queued
	run claims --count $grants
	row "claim p99, 500 classes, $queued jobs" "$claim_p99_ms" ms \
		"$few_p99" "1 class and profile, 1,000 jobs"
	row "grants, 500 classes, $queued jobs" "$granted_per_s" runs/s \
		"$few_rate" "1 class and profile, 1,000 jobs"
	row "server memory, $queued queued" "$(calc "$(rss_kib) / 1024")" MiB \
		"$few_rss" "the same server, 1,000 queued"
	stop_server
}

table()
{
	awk -F '\t' '
		function short(x) {
			return sprintf(x >= 1000 ? "%.0f" : "%.3g", x)
		}
		BEGIN { form = "%-38s %9s %-6s %9s %6s  %s\n"
			printf form, "what", "value", "unit", "limit",
				"ratio", "the limit is" }
		{ printf form, $1, short($2), $3, short($4),
			sprintf("%.2f", $2 / $4), $5 }' "$rows"
}

json()
{
	awk -F '\t' '
		function text(key, x) {
			return "\"" key "\": \"" x "\""
		}
		function number(key, x) {
			return "\"" key "\": " x
		}
		BEGIN { print "[" }
		NR > 1 { print "," }
		{ printf "  {%s, %s, %s, %s, %s, %s}", text("name", $1),
			number("value", $2), text("unit", $3),
			number("limit", $4),
			number("ratio", sprintf("%.4f", $2 / $4)),
			text("limit_is", $5) }
		END { print "\n]" }' "$rows"
}

# shellcheck source=tests/bench/recovery.sh
. "$here/recovery.sh"
# shellcheck source=tests/bench/servers.sh
. "$here/servers.sh"
# shellcheck source=tests/bench/long.sh
. "$here/long.sh"

[ -z "${LONG:-}" ] || PARTS=${PARTS:-$long_parts}
limits
for part in ${PARTS:-one_at_a_time real_payloads zero_work parts keys long_queue \
	tls takeover recovery workflows two_servers overload}; do
	$part
done
json >"$bin/out.json"
table
