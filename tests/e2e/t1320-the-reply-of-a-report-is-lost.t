#!/bin/sh
# The server has recorded an end, and its reply is lost: the pilot tells it
# again, and it counts once.
. "${0%/*}/lib.sh"
. "$here/lib-wire.sh"

start_server --lease 20
start_wire "$T/w" "$T/s"
SORTIE_URL=unix:$T/w
start_pilot --slots 1
mkfifo "$T/go"
submit "{\"shell\":\"echo once >>$T/ran; read x <$T/go; exit 4\"}"
within 10 "a job runs" job_is "$job" running
wire hold down
tell "$T/go"
within 10 "its end is recorded" job_is "$job" failed
kill -9 "$pilot_child"
wait_until 10 gone "$pilot_pid"
wire reset
wire release
launch_pilot --slots 1 --spool "$T/p1"
within 15 "the successor, which did not hear of it, works on" pilot_is p2 idle
is "$(field "$job" '"\(.state) \(.exit_code) \(.attempts)"')" "failed 4 1" \
	"the end was told again and counts once"
is "$(cat "$T/ran")" once "its payload ran once"

# The same with the pilot alive.
submit "{\"shell\":\"read x <$T/go; exit 5\"}"
within 10 "another job runs" job_is "$job" running
wire hold down
tell "$T/go"
within 10 "its end is recorded" job_is "$job" failed
wire reset
wire release
submit '{"argv":["true"]}'
within 30 "the pilot repeats it and goes on" job_is "$job" finished
is "$(field $((job - 1)) '"\(.exit_code) \(.attempts)"')" "5 1" \
	"that end counts once, too"
is "$(query "SELECT count(*) FROM sortie.event WHERE kind = 'refused'")" 0 \
	"nothing was refused"
finish
