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

# The connection of a report's claim dies: the ends are recorded, and the answer
# leaves open whether anything was granted.
fake_pilot heard 1 '"site":"near"'
submit '{"argv":["true"],"site":"near","replicas":2}'
claim 1 0 1
grant 0
lane_is() { [ "$(query "SELECT count(*) FROM pg_locks
	WHERE locktype = 'advisory' AND objid = 7000 AND granted = $1
	AND pid IN (SELECT pid FROM pg_stat_activity WHERE query LIKE '%$2%')")" = 1 ]; }
end_one() { query "SELECT pg_terminate_backend(l.pid) FROM pg_locks l
	JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'
	AND l.objid = 7000 AND a.query LIKE '%$1%'" >/dev/null; }
take_lane()
{
	query "SELECT pg_advisory_lock(7000), pg_sleep(60)" >"$T/lane" 2>&1 &
	lane=$!
	started $lane other
	within 5 "the grant lane is taken" lane_is true pg_sleep
}
leave_lane()
{
	end_one pg_sleep
	within 5 "the lane is free" gone $lane
}
take_lane
curl -s --unix-socket "$sock" -H "Authorization: Bearer $pilot_token" \
	-H 'Content-Type: application/json' -o "$T/unheard" \
	-d "{\"request\":2,\"free\":{\"slots\":1,\"cores\":1,\"memory\":0},
	\"ends\":[{\"run\":\"$run\",\"job\":$job,\"state\":\"finished\",
	\"exit_code\":0,\"wall_ms\":1,\"started\":true}]}" \
	"http://s/api/v1/pilots/$pilot_id/report" &
report=$!
started $report other
within 5 "a report's claim waits for it" lane_is false claim_1
end_one claim_1
within 5 "the report is answered" gone $report
is "$(jq -c '[.acked.ends, has("grants")]' "$T/unheard")" "[[\"$run\"],false]" \
	"its ends are recorded, of grants it says nothing"
leave_lane
claim 1 5 2
is "$(of '.grants | length')" 1 "asked again with the same number it grants"

# So a real pilot asks with that number again.
call POST /api/v1/jobs/actions '{"action":"cancel","first":1,"count":100}'
asked() { query "SELECT max(request) FROM sortie.live WHERE running"; }
waits="{\"shell\":\"while ! [ -e $T/go ]; do sleep 0.1; done\",\"site\":\"here\"}"
start_pilot --slots 1 --site here
submit "$waits"
within 10 "a job runs" eval '[ -n "$(asked)" ]'
before=$(asked)
submit "{\"shell\":\"while ! [ -e $T/end ]; do sleep 0.1; done\",\"site\":\"here\"}"
take_lane
touch "$T/go"
within 10 "the report of its end asks for more" lane_is false claim_1
end_one claim_1
leave_lane
within 10 "the next job runs" eval '[ "$(asked)" != "$before" ] && [ -n "$(asked)" ]'
is "$(asked)" $((before + 1)) "granted by the number that had no answer"
touch "$T/end"
finish
