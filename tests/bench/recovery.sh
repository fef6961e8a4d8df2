# shellcheck shell=sh
# What deaths cost: how soon a job of a dead pilot runs elsewhere, and whether
# the old rate is back when the database was restarted, lost a backend, or lost
# one again and again. Part of bench.sh.

# with_pilot NAME SOCKET: one slot, added to $pilot; its keeper is $keeper.
with_pilot()
{
	"$build/pilot/sortie-pilot" --url "unix:$2" --join-token-file \
		"$state/join-token" --spool "$T/spool-$1" --host-name "$1" \
		--one-user --slots 1 --cores 1 --quiet \
		--log-file "$T/pilot.log" >>"$T/pilot.out.log" 2>&1 &
	keeper=$!
	pilot="$keeper $pilot"
}

# started N: waits until so many payloads have started.
started()
{
	until [ "$(wc -l <"$T/starts")" -ge "$1" ]; do
		sleep 0.02
	done
}

# all_of PID: it and all below it.
all_of()
{
	echo "$1"
	for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		all_of "$child"
	done
}

# takes_over NAME LIMIT SOCKET VICTIMS...: a job runs at a pilot of the socket;
# what the words VICTIMS name is killed: how long until it runs elsewhere.
takes_over()
{
	name=$1 limit=$2 socket=$3
	shift 3
	: >"$T/starts"
	with_pilot "victim-$1-$#" "$socket"
	victim=$keeper
	curl -sf -o "$T/submitted" --unix-socket "$state/s" -H @"$T/auth" \
		-H 'Content-Type: application/json' -d "{\"shell\":
		\"echo x >>$T/starts; while [ ! -e $T/enough ]; do sleep 1; done\"}" \
		http://sortie/api/v1/jobs
	started 1
	with_pilot "heir-$1-$#" "$state/s"
	dead=
	for what; do
		case $what in
		pilot) dead="$dead $(cat "/proc/$victim/task/$victim/children")" ;;
		host) dead="$dead $(all_of "$victim")" ;;
		server) dead="$dead $second" ;;
		esac
	done
	start=$(now)
	# shellcheck disable=SC2086 # a list of processes
	kill -9 $dead
	started 2
	row "$name" "$(calc "$(now) - $start")" s "$limit" "what is promised"
	: >"$T/enough"
	number=$(sed 's/.*"first": *\([0-9]*\).*/\1/' "$T/submitted")
	get "/api/v1/jobs/$number?wait=30" | grep -q '"state": *"finished"' || {
		say "the job does not finish"
		exit 1
	}
	# shellcheck disable=SC2086
	kill $pilot 2>/dev/null || :
	for one in $pilot; do
		wait "$one" || :
	done
	pilot=
	rm "$T/enough"
}

takeover()
{
	start_server takeover
	say "a pilot, its host, its server die"
	with_token
	takes_over "kill -9 of a pilot, job runs elsewhere" 20 "$state/s" pilot
	takes_over "death of a host, job runs elsewhere" 20 "$state/s" host
	"$build/server/sortied" --listen "unix:$state/b" --state-dir \
		"$state/second" --blob-dir "$state/blobs" --database \
		"host=$state/run user=sortie dbname=sortie" \
		--log-file "$state.second.log" >"$state.second.out.log" 2>&1 &
	second=$!
	until curl -sf -o "$T/ready" --unix-socket "$state/b" \
			http://sortie/readyz; do
		kill -0 $second || exit 1
		sleep 0.1
	done
	takes_over "death of host and server" 30 "$state/b" host server
	wait $second || :
	stop_server
}

WINDOW_S=10             # before a fault, and again when it has had as long

# ended: jobs that have finished so far, and nothing while nobody can tell.
ended()
{
	get /api/v1/summary | sed -n 's/.*"finished": *\([0-9]*\).*/\1/p'
}

# plus TIME SECONDS
plus()
{
	awk "BEGIN { printf \"%.3f\", $1 + $2 }"
}

# watch_for SECONDS: notes the time and how many jobs have ended, often.
watch_for()
{
	enough=$(plus "$(now)" "$1")
	while [ "$(calc "$(now) < $enough")" = 1 ]; do
		n=$(ended) || :
		[ -z "$n" ] || echo "$(now) $n" >>"$T/series"
		sleep 0.2
	done
}

# rate FROM TO: jobs a second between two times of the series.
rate()
{
	awk -v from="$1" -v to="$2" '
		$1 >= from && !n { t0 = $1; n0 = $2; n = 1 }
		$1 <= to { t1 = $1; n1 = $2 }
		END { printf "%.6g", (t1 > t0 ? (n1 - n0) / (t1 - t0) : 0) }' \
		"$T/series"
}

backend()
{
	# shellcheck disable=SC2046 # a list of processes
	for pid in $(cat "/proc/$postmaster/task/$postmaster/children"); do
		case $(tr '\0' ' ' <"/proc/$pid/cmdline") in
		*': sortie sortie '*)
			echo "$pid"
			return
			;;
		esac
	done
}

kill_backend()
{
	pid=$(backend)
	[ -z "$pid" ] || kill -9 "$pid"
}

restart_database()
{
	kill -INT "$postmaster"
	while kill -0 "$postmaster" 2>/dev/null; do
		sleep 0.1
	done
	until get /api/v1/summary >"$T/summary"; do
		sleep 0.1
	done
	postmaster=$(sed -n 1p "$state/pg/postmaster.pid")
}

kill_again_and_again()
{
	for _ in 1 2 3 4 5; do
		kill_backend
		watch_for 1
	done
}

# comes_back NAME FAULT: the rate from ten seconds after the fault's begin (its
# end, when it lasts) on, next to the rate before it.
comes_back()
{
	start=$(now)
	watch_for $WINDOW_S
	before=$(rate "$start" "$(now)")
	start=$(now)
	$2
	[ "$2" != kill_again_and_again ] || start=$(now)
	watch_for $((2 * WINDOW_S))
	row "rate from 10 s after $1" \
		"$(rate "$(plus "$start" $WINDOW_S)" "$(now)")" \
		jobs/s "$before" "the rate before it"
}

recovery()
{
	start_server recovery
	say "a database that goes away"
	: >"$T/series"
	with_token
	for _ in $(seq 20); do
		curl -sf -o "$T/submitted" --unix-socket "$state/s" \
			-H @"$T/auth" -H 'Content-Type: application/json' \
			-d '{"replicas":20000,"argv":["/bin/true"]}' \
			http://sortie/api/v1/jobs
	done
	"$build/pilot/sortie-pilot" --url "$url" --join-token-file \
		"$state/join-token" --spool "$T/spool-recovery" --one-user \
		--slots 2 --cores 2 --quiet --log-file "$T/pilot.log" \
		>"$T/pilot.out.log" 2>&1 &
	pilot=$!
	watch_for 5
	# How much of the others is the machine's own.
	comes_back "nothing at all" true
	comes_back "a restart of PostgreSQL" restart_database
	comes_back "the kill of a backend" kill_backend
	comes_back "five kills in a row" kill_again_and_again
	kill $pilot
	wait $pilot || :
	pilot=
	audited
	stop_server
}
