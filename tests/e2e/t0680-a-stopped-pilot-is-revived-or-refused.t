#!/bin/sh
# SIGSTOP of a pilot beyond its lease: its run is revived when nobody else
# took the job, and refused when somebody did.
. "${0%/*}/lib.sh"

start_server --lease 3 --heartbeat 1
start_pilot --slots 1
mkfifo "$T/go"
submit "{\"shell\":\"read x <$T/go; echo same\"}"
within 10 "a job runs" job_is "$job" running
kill -STOP "$pilot_child"
within 15 "stopped beyond its lease the run is lost" job_is "$job" defined
kill -CONT "$pilot_child"
within 10 "going on, it is revived" job_is "$job" running
tell "$T/go"
within 10 "and its payload's end counts" job_is "$job" finished
is "$(field "$job" '"\(.attempts) \(.runs[0].state)"')" "1 finished" \
	"as the first run"

submit "{\"shell\":\"echo \$\$ >>$T/pids; [ \$(wc -l <$T/pids) = 2 ] && exit 0; exec sleep 1000\"}"
within 10 "another one runs" job_is "$job" running
within 5 "with its payload" test -s "$T/pids"
stopped=$pilot_child
kill -STOP "$stopped"
start_pilot --slots 1
within 20 "somebody else takes it and finishes it" job_is "$job" finished
alive "$(head -n 1 "$T/pids")" && pass "the first payload still lives" ||
	fail "the first payload still lives"
kill -CONT "$stopped"
within 10 "told that it is stale, the first pilot kills it" \
	gone "$(head -n 1 "$T/pids")"
is "$(field "$job" '[.runs[].state] | sort | join(" ")')" "finished lost" \
	"one run counts"
within 10 "the first pilot takes work again" pilot_is p1 idle
finish
