#!/bin/sh
# I7: leases count the time in which a server was able to hear: stopped for
# longer than a lease, it goes on without declaring anybody lost.
. "${0%/*}/lib.sh"

start_server --lease 3 --heartbeat 1
start_pilot --slots 1
mkfifo "$T/go"
submit "{\"shell\":\"read x <$T/go; echo done\"}"
within 10 "a job runs" job_is "$job" running
kill -STOP "$server_pid"
"$helper" pause 6000
kill -CONT "$server_pid"
throughout 3 "stopped for two leases, the server loses no run" \
	job_is "$job" running
tell "$T/go"
within 10 "the job ends" job_is "$job" finished
is "$(field "$job" .attempts)" 1 "as its first run"
is "$(get "/api/v1/events?after=0" | grep -c '"[^"]*lost')" 0 \
	"nothing was ever said to be lost"
finish
