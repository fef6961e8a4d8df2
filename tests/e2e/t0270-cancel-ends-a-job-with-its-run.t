#!/bin/sh
# A queued job is cancelled at once; a live one when its payload has ended,
# and only then its tokens are free.
. "${0%/*}/lib.sh"

start_server --lease 6 --heartbeat 1
sortie limit set licence 1 >/dev/null
submit '{"argv":["true"],"state":"held"}'
ok "a held job is cancelled" sortie job cancel "$job"
is "$(field "$job" .state)" cancelled "at once"
submit '{"argv":["true"]}'
ok "a queued job is cancelled" sortie job cancel "$job"
is "$(field "$job" .state)" cancelled "at once, too"

# A payload that takes its time to end.
submit '[{"shell":"trap \"\" TERM; echo $$; exec sleep 1000","limits":["licence"]},
	{"argv":["true"],"limits":["licence"]}]'
live=$job
start_pilot --slots 2 --grace 2
said_pid()
{
	payload=$(output "$live")
	[ -n "$payload" ]
}
within 10 "one runs" said_pid
payload=$(output "$live")
ok "it is cancelled" sortie job cancel "$live"
is "$(field "$live" '"\(.state) \(.cancelling)"')" "running true" \
	"it goes on until its payload has ended"
is "$(field $((live + 1)) .state)" defined "its token is not free yet"
within 10 "then it is cancelled" job_is "$live" cancelled
ok "the payload is gone" gone "$payload"
within 10 "and the next one gets the token" job_is $((live + 1)) finished
is "$(field "$live" .attempts)" 1 "a cancelled job is not tried again"

# The order was not delivered yet when the end came: it is what it was.
fake_pilot p 1
submit '{"argv":["true"],"jobtype":"mine"}'
stop_pid "$pilot_pid" >/dev/null
submit '{"argv":["true"]}'
claim 1
grant
call POST /api/v1/jobs/actions "{\"action\":\"cancel\",\"jobs\":\"$job\"}"
end_run "$run" "$job" finished 0
is "$(field "$job" .state)" finished "exit 0 before the order is finished"
exits 1 "an ended job is not cancelled" sortie job cancel "$job"
finish
