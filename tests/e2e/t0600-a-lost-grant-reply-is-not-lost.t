#!/bin/sh
# I4: an equal request number brings the recorded runs, an older one nothing,
# and nobody gets more than is free.
. "${0%/*}/lib.sh"

start_server
submit '{"argv":["true"],"replicas":10}'
fake_pilot p 2
claim 2 0 1
is "$(of '.grants | length')" 2 "two slots, two grants"
first=$(of '[.grants[].run] | sort | join(" ")')
claim 2 0 1
is "$(of '[.grants[].run] | sort | join(" ")')" "$first" \
	"the same request brings the same runs"
grant 0
end_run "$run" "$job"
is "$(of '.acked.ends | join(" ")')" "$run" "one ends"
claim 2 0 2
is "$(of '.grants | length')" 1 \
	"who asks for more than is free gets what is free"
second=$(of '.grants[0].run')
claim 2 0 1
is "$(of '.grants | length')" 0 "an older request brings nothing"
claim 2 0 2
is "$(of '.grants[0].run')" "$second" "the last one is still remembered"
talk POST /report '{"request":3,"free":{"slots":2,"cores":2,"memory":0},"live":[]}'
is "$(of '.missing | length')" 2 \
	"a report whole of live runs learns of those it misses"
is "$(of '.grants | length')" 0 "and gets no more than is free"
like "$(of '[.missing[].run] | join(" ")')" "*$second*" "by their run"
talk POST /claim '{"request":0,"free":{"slots":1,"cores":1,"memory":0},"wait":0}'
is "$(of '.grants | length')" 0 "request 0 brings nothing, too"

call POST /api/v1/jobs/actions '{"action":"cancel","first":1,"count":10}'

# The same claim, parked at one connection and repeated at another.
fake_pilot parked 1 '"site":"far"'
curl -s --unix-socket "$sock" -H "Authorization: Bearer $pilot_token" \
	-H 'Content-Type: application/json' -o "$T/parked" \
	-d '{"request":1,"free":{"slots":1,"cores":1,"memory":0},"wait":30}' \
	"http://s/api/v1/pilots/$pilot_id/claim" &
parked=$!
started $parked other
within 5 "a claim is parked" pilot_is parked idle
claim 1 0 1
submit '{"argv":["true"],"site":"far","replicas":3}'
claim 1 0 1
n=$(of '.grants | length')
within 5 "the other one is answered" gone $parked
n=$((n + $(jq '.grants | length' "$T/parked")))
[ "$n" -ge 1 ] && pass "one of them has the grant" ||
	fail "one of them has the grant" "$n"
is "$(get "/api/v1/pilots/$pilot_id" | jq '.used.slots')" 1 \
	"but together they hold one run"
finish
