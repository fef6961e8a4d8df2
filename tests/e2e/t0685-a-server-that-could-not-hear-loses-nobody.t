#!/bin/sh
# I7: leases count the time in which a server was able to hear: stopped for
# longer than a lease, it goes on without declaring anybody lost. A job that
# must not outlive its lease is gone by then, whatever it does, and runs again.
. "${0%/*}/lib.sh"

start_server --lease 3 --heartbeat 1
start_pilot --slots 2
mkfifo "$T/go"
submit "{\"shell\":\"read x <$T/go; echo done\"}"
stays=$job
submit "{\"on_disconnect\":\"stop\",\"shell\":\"[ -s $T/pid ] && exit 0; echo \$\$ >$T/pid; trap '' TERM; while :; do sleep 0.1; done\"}"
goes=$job job=$stays
within 10 "a job runs" job_is "$job" running
within 10 "another must not outlive its lease" test -s "$T/pid"
kill -STOP "$server_pid"
now_cs
begun=$now
within 12 "without a server it is stopped" gone "$(cat "$T/pid")"
now_cs
# A lease, and what a busy machine adds.
[ $((now - begun)) -lt 400 ] && pass "before its lease is over" ||
	fail "before its lease is over" "after $((now - begun))0 ms"
"$helper" pause 3000
kill -CONT "$server_pid"
throughout 3 "stopped for two leases, the server loses no run" \
	job_is "$job" running
tell "$T/go"
within 10 "the job ends" job_is "$job" finished
is "$(field "$job" .attempts)" 1 "as its first run"
within 10 "the one that was stopped runs again" job_is "$goes" finished
is "$(field "$goes" '[.runs[].state] | sort | join(" ")')" "finished returned" \
	"its first run is handed back"
is "$(get "/api/v1/events?after=0" | grep -c '"[^"]*lost')" 0 \
	"nothing was ever said to be lost"
finish
