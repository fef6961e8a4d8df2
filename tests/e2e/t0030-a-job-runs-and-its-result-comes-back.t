#!/bin/sh
# The shortest way through everything: one job, one pilot, one result.
. "${0%/*}/lib.sh"

start_server
submit '{"name":"first","shell":"echo out; echo err >&2; exit 3"}'
is "$status" 201 "a job is accepted"
is "$(field "$job" .state)" defined "it waits for a pilot"
start_pilot --slots 1
within 10 "it ends as its payload did" job_is "$job" failed
is "$(field "$job" .exit_code)" 3 "its exit code is kept"
is "$(output "$job")" out "so is its output"
is "$(output "$job" stderr)" err "and what it said of errors"
is "$(field "$job" .attempts)" 1 "it ran once"
is "$(field "$job" '.runs[0].state')" failed "its run tells the same"
is "$(field "$job" .pilot.host)" p1 "and where it was"
is "$(field "$job" '.runs[0] | (.wall_ms >= 0 and .user_ms + .system_ms >= 0 and .max_rss > 100000)')" \
	true "and what it used"

submit '[{"argv":["true"]},{"argv":["kill"],"shell":null},{"shell":"kill -9 $$"}]'
within 10 "a success is finished" job_is "$job" finished
within 10 "a signal ends a job as failed" job_is $((job + 2)) failed
is "$(field $((job + 2)) .signal)" 9 "and is told"
within 5 "a pilot without work is idle" pilot_is p1 idle
ok "SIGTERM ends a pilot" stop_pid "$pilot_pid"
within 5 "which has left then" pilot_is p1 stopped
finish
