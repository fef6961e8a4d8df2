#!/bin/sh
# Files arrive in bursts, in one directory and the one below, two injectors
# watch, and injectors and server are killed in the middle: of each file there
# is exactly one dataset and one workflow. SORTIE_TEST_LONG: 10,000 files.
. "${0%/*}/lib.sh"

n=600 bursts=6
[ -z "${SORTIE_TEST_LONG:-}" ] || n=10000 bursts=10
start_server
mkdir -p "$T/in/below" "$T/stage"
cat >"$T/dag.json" <<END
{"jobs": {"SOURCE": {"jobtype": "noop"}, "look": {"argv": ["true"]}},
 "datasets": [{"from": "SOURCE", "to": "look", "tag": "IN", "name": "none",
	"directory": "/none"}]}
END
ok "a dag" sortie dag add "$T/dag.json" --name look

# injector DIRECTORY OPTION...
injector()
{
	sortie inject --dag look --settle 0 -q "$@" >>"$T/inject.out" 2>&1 &
	started $! other
	injectors="$injectors $!"
}

start_injectors()
{
	injectors=
	injector "$T/in" -r
	injector "$T/in/below" --no-inotify --period 1
}

injected()
{
	query "SELECT count(*) FROM sortie.injection"
}

injected_at_least()
{
	[ "$(injected)" -ge "$1" ]
}

start_injectors
made=0
for burst in $(seq $bursts); do
	last=$((n * burst / bursts))
	awk -v from=$((made + 1)) -v to=$last -v at="$T" 'BEGIN {
		split("in/ in/below/ stage/", where, " ")
		for (i = from; i <= to; i++) {
			file = at "/" where[i % 3 + 1] i
			print i >file
			close(file)
		}
	}'
	mv "$T"/stage/* "$T/in/"
	made=$last
	wait_until 60 injected_at_least $((made - n / bursts / 2)) ||
		fail "burst $burst is being injected" "$(injected) of $made"
	case $((burst % 3)) in
	0) kill -9 $injectors ;;
	1) kill -9 "$server_pid" ;;
	2) kill -9 $injectors "$server_pid" ;;
	esac
	[ $((burst % 3)) = 0 ] || {
		wait_until 10 gone "$server_pid"
		start_server
	}
	[ $((burst % 3)) = 1 ] || start_injectors
done
wait_until 600 injected_at_least $n
is "$(injected)" $n "every file is injected"
kill $injectors
for pid in $injectors; do
	wait_until 10 gone $pid
done
ok "and once more" sortie inject --dag look --once -r -q "$T/in"
is "$(query "SELECT count(*), count(DISTINCT path), count(DISTINCT dataset),
	count(DISTINCT workflow), max(version) FROM sortie.injection")" \
	"$n|$n|$n|$n|1" "each once"
is "$(query "SELECT count(*), count(DISTINCT path) FROM sortie.dataset
	WHERE path LIKE '$T/in/%'")" "$n|$n" "there are as many datasets"
is "$(query "SELECT count(*) FROM sortie.workflow")" "$n" "and workflows"
is "$(query "SELECT count(*) FROM sortie.job")" "$((2 * n))" \
	"and two jobs of each"
finish
