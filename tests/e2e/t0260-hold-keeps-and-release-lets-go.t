#!/bin/sh
# hold and release, and what they refuse.
. "${0%/*}/lib.sh"

start_server
submit '[{"argv":["true"]},{"argv":["true"],"state":"held"},
	{"argv":["true"],"state":"template"},{"argv":["true"]}]'
is "$(field 2 .state) $(field 3 .state)" "held held" \
	"jobs can be submitted held, p3s's word for it is taken"
ok "a queued job is held" sortie job hold 1
is "$(field 1 .state)" held "and is so"
start_pilot --slots 1
within 10 "the others run" job_is 4 finished
is "$(field 1 .state) $(field 2 .state) $(field 3 .state)" "held held held" \
	"the held ones do not"
ok "they are released" sortie job release 1-3
within 10 "and run then" counts finished 4
exits 1 "an ended job is not held" sortie job hold 1
like "$said" "*1*finished*" "for a reason"
call POST /api/v1/jobs/actions '{"action":"release","jobs":"2"}'
is "$(of '.done') $(of '.refused[0].code')" "0 conflict" \
	"nor released when it is not held"
call POST /api/v1/jobs/actions '{"action":"hold","jobs":"99"}'
is "$(of '.refused[0].code')" not_found "an unknown job is told"
finish
