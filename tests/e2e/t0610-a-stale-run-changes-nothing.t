#!/bin/sh
# I3: a message about a run that is not the pilot's any more is refused and
# recorded; an end may be repeated; a run that expired while nobody else has
# taken its job is revived.
. "${0%/*}/lib.sh"

start_server --lease 3 --heartbeat 1
submit '{"argv":["true"]}'
fake_pilot one 1
claim 1
grant
stale_run=$run stale_pilot=$pilot_id stale_token=$pilot_token
talk POST /report "{\"starts\":[{\"run\":\"$run\",\"job\":$job,\"ago_ms\":0,\"host_pid\":1}]}"
is "$(of '.acked.starts[0]')" "$run" "a start is recorded"
is "$(field "$job" .state)" running "the job runs"
talk POST /report "{\"starts\":[{\"run\":\"$run\",\"job\":$job,\"ago_ms\":0,\"host_pid\":1}]}"
is "$(of '.acked.starts[0]')" "$run" "repeating is harmless"

within 20 "without a word the run is lost" job_is "$job" defined
fake_pilot two 1
claim 1
grant
is "$(of '.grants[0].attempt')" 2 "another pilot gets the second attempt"
two_id=$pilot_id two_token=$pilot_token
pilot_id=$stale_pilot pilot_token=$stale_token
talk POST /report "{\"ends\":[{\"run\":\"$stale_run\",\"job\":$job,
	\"state\":\"finished\",\"exit_code\":0,\"ago_ms\":0,\"wall_ms\":1,
	\"started\":true}]}"
is "$(of '.stale[0] // "none"')" "$stale_run" "the first one's end is stale"
is "$(field "$job" .state)" dispatched "and changes nothing"
recorded()
{
	get "/api/v1/events?job=$job" | grep -qiE 'stale|refused'
}
within 5 "but it is recorded" recorded
talk POST /report "{\"ends\":[{\"run\":\"00000000deadbeef\",\"job\":$job,
	\"state\":\"finished\",\"exit_code\":0,\"ago_ms\":0,\"wall_ms\":1}]}"
is "$(field "$job" .state)" dispatched "neither does a run that never was"
pilot_id=$two_id pilot_token=$two_token
end_run "$run" "$job" failed 7
is "$(of '.acked.ends[0]') $(field "$job" .state)" "$run failed" \
	"the second one's end counts"
end_run "$run" "$job" failed 7
is "$(of '.acked.ends[0]')" "$run" "and may be repeated"
end_run "$run" "$job" finished 0
is "$(field "$job" '"\(.state) \(.exit_code)"')" "failed 7" \
	"but not changed"

# Revived: nobody else has it.
submit '{"argv":["true"]}'
claim 1
grant
within 20 "another run is lost" job_is "$job" defined
end_run "$run" "$job"
is "$(of '.acked.ends[0]') $(field "$job" '"\(.state) \(.attempts)"')" \
	"$run finished 1" "its own pilot's end revives it"
finish
