#!/bin/sh
# kill -9 of the keeper, and of both: nothing outlives them.
. "${0%/*}/lib.sh"

start_server --lease 3 --heartbeat 1
start_pilot --slots 1
submit "{\"shell\":\"sleep 1000 & echo \$! >$T/pids; echo \$\$ >>$T/pids; wait\",\"state\":\"defined\"}"
two()
{
	[ "$(wc -l <"$T/pids")" = 2 ]
}
all_gone()
{
	for pid in $(cat "$T/pids") "$pilot_child"; do
		gone "$pid" || return 1
	done
}
within 10 "a payload runs" two
kill -9 "$pilot_pid"
within 5 "with the keeper the pilot and its payload go" all_gone
within 15 "the run is lost" job_is "$job" defined
rm "$T/pids"
start_pilot --slots 1
within 10 "it runs again" two
kill -9 "$pilot_pid" "$pilot_child"
within 5 "with both killed the payload's first process goes" \
	gone "$(tail -n 1 "$T/pids")"
within 15 "the run is lost" job_is "$job" defined waiting lost
kill -9 $(cat "$T/pids") 2>/dev/null
sortie job cancel "$job" >/dev/null
finish
