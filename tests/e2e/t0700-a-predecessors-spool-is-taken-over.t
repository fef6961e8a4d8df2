#!/bin/sh
# A pilot that finds a dead one's spool registers as its successor: what was
# running there is lost at once, and runs again without waiting for a lease.
. "${0%/*}/lib.sh"

start_server --lease 300 --heartbeat 60
start_pilot --slots 1
submit "{\"shell\":\"[ -e $T/once ] && exit 0; : >$T/once; exec sleep 1000\"}"
within 10 "a job runs" job_is "$job" running
nok "its spool is locked against a second pilot" \
	timeout 10 sortie-pilot --url "$SORTIE_URL" --spool "$T/p1" \
	--join-token-file "$join_token_file" --cycles 1
kill -9 "$pilot_child"
wait_until 5 gone "$pilot_pid"
launch_pilot --slots 1 --spool "$T/p1"
within 15 "the successor runs it again at once" job_is "$job" finished
is "$(field "$job" '[.runs[].state] | sort | join(" ")')" "finished lost" \
	"the first run is lost"
within 5 "the predecessor has ended" pilot_is p1 lost stopped
finish
