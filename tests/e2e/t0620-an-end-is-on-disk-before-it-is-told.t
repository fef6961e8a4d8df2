#!/bin/sh
# I5: while no server hears it a pilot keeps the ends in its spool; killed
# there, its successor on the same spool tells them.
. "${0%/*}/lib.sh"

start_server --lease 60
start_pilot --slots 2
mkfifo "$T/go"
submit "{\"shell\":\"echo kept; read x <$T/go; exit 9\"}"
within 10 "a job runs" job_is "$job" running
kill -9 "$server_pid"
wait_until 5 gone "$server_pid"
tell "$T/go"
no_payload()
{
	[ -z "$(children "$pilot_child")" ]
}
within 10 "its payload ends while no server is there" no_payload
# The pilot says with --verbose that the run has ended once that is on disk.
within 5 "the pilot has noticed" grep -q "of job $job: failed" "$T/$pilot.log"
kill -9 "$pilot_child"
within 10 "the pilot is killed, too" gone "$pilot_pid"
start_server --lease 60
is "$(field "$job" .state)" running "the server does not know of the end"
launch_pilot --slots 2 --spool "$T/p1"
within 15 "the successor tells it" job_is "$job" failed
is "$(field "$job" '"\(.exit_code) \(.attempts)"')" "9 1" \
	"as it was, without another attempt"
within 5 "the predecessor is no more" eval '! pilot_is p1 idle busy active'
finish
