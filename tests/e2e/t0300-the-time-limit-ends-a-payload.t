#!/bin/sh
# TERM at the limit, KILL after the grace, the whole group; the job's state is
# timelimit whatever the payload makes of it.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 4 --grace 1
submit '[{"argv":["sleep","1000"],"timeout":1},
	{"shell":"trap \"\" TERM; sleep 1000 & echo $!; wait; while :; do wait; done","timeout":1},
	{"shell":"trap \"echo caught; exit 0\" TERM; sleep 1000 & wait","timeout":1},
	{"argv":["true"],"timeout":1},
	{"argv":["true"],"timeout":1000000000},{"argv":["true"],"timeout":"200000"}]'
within 10 "TERM is enough" job_is "$job" timelimit
is "$(field "$job" .signal)" 15 "and told"
within 10 "KILL is for those who do not hear" job_is $((job + 1)) timelimit
child=$(output $((job + 1)))
ok "their children go, too" gone "${child:-1}"
within 10 "exit 0 after TERM is a time limit as well" \
	job_is $((job + 2)) timelimit
is "$(output $((job + 2)))" caught "it had time to say something"
within 10 "who is quicker is not touched" job_is $((job + 3)) finished
within 10 "so is who has 30 years" job_is $((job + 4)) finished
within 10 "or two days" job_is $((job + 5)) finished
wall=$(field "$job" '.runs[0].wall_ms')
[ "$wall" -ge 1000 ] && [ "$wall" -lt 3000 ] && pass "wall time counts" ||
	fail "wall time counts" "$wall ms"
finish
