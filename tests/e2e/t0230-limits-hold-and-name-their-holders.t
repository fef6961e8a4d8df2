#!/bin/sh
# Live runs hold tokens of named limits; nobody gets more than there are, and
# a token is free only when its run has ended.
. "${0%/*}/lib.sh"

start_server
ok "a limit is set" sortie limit set maya 2
submit '{"argv":["true"],"limits":{"maya":1},"replicas":4}'
first=$job
submit '{"argv":["true"],"project":"free"}'
free=$job
fake_pilot p 10
claim 10
is "$(of '[.grants[] | select(.name != null or true) | .job] | length')" 3 \
	"two with the limit and the one without are granted"
is "$(of "[.grants[] | select(.job == $free)] | length")" 1 \
	"who needs no token passes those who wait for one"
is "$(get /api/v1/limits | jq '.items[] | select(.name == "maya") | .used')" 2 \
	"both tokens are used"
run=$(of "[.grants[] | select(.job != $free)][0].run")
job=$(of "[.grants[] | select(.job != $free)][0].job")
claim 10
is "$(of '.grants | length')" 0 "no third token is made"
get "/api/v1/jobs/$((first + 3))/explain" >"$T/why"
is "$(jq '.limits[] | select(.name == "maya") | "\(.used) \(.capacity) \(.holders | length)"' -r "$T/why")" \
	"2 2 2" "explain tells the limit and who holds it"
end_run "$run" "$job"
claim 10
is "$(of '.grants | length')" 1 "an end gives its token back"

call PUT /api/v1/limits/maya '{"capacity":1}'
grant
end_run "$run" "$job"
claim 10
is "$(of '.grants | length')" 0 "a lowered capacity stops grants"
call PUT /api/v1/limits/maya '{"capacity":5}'
claim 10
is "$(of '.grants | length')" 1 "a raised one lets the last one go"
submit '{"argv":["true"],"limits":{"maya":6}}'
[ "$status" = 201 ] || diag "more than there is: $status"
submit '{"argv":["true"],"limits":{"mya":1}}'
is "$status" 400 "a limit that nobody set is refused"
finish
