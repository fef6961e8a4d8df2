#!/bin/sh
# The maximum of a jobtype caps what runs at once, also when it is set while
# jobs of the type are queued or running already.
. "${0%/*}/lib.sh"

start_server
submit '{"argv":["true"],"jobtype":"sim","replicas":6}'
submit '{"argv":["true"],"jobtype":"reco"}'
fake_pilot p 10
claim 2
is "$(of '[.grants[].jobtype] | join(" ")')" "sim sim" "two run already"
cp "$T/answer" "$T/two"
ok "the maximum is set" sortie jobtype set sim 2
claim 8
is "$(of '[.grants[].jobtype] | join(" ")')" "reco" \
	"it binds queued jobs, others pass"
is "$(get /api/v1/jobtypes | jq -r '.items[] | select(.name == "sim") |
	"\(.max_running) \(.running) \(.queued)"')" "2 2 4" "its counts are shown"
end_run "$(jq -r '.grants[0].run' "$T/two")" "$(jq -r '.grants[0].job' "$T/two")"
claim 8
is "$(of '.grants | length')" 1 "an end makes room for one"
call PUT /api/v1/jobtypes/sim '{"max_running":0}'
grant
end_run "$run" "$job"
claim 8
is "$(of '.grants | length')" 0 "0 stops the type"
call PUT /api/v1/jobtypes/sim '{"max_running":null}'
claim 9
is "$(of '.grants | length')" 3 "without a maximum the rest goes"
finish
