#!/bin/sh
# A failed payload is tried again after its delay, up to its retries; a
# success ends it; `retry` by hand is an attempt of its own.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 2
submit "[{\"shell\":\"exit 4\",\"retries\":2,\"retry_delay\":1},
	{\"shell\":\"echo x >>$T/tries; [ \$(wc -l <$T/tries) -ge 2 ]\",
		\"retries\":5,\"retry_delay\":1},
	{\"shell\":\"exit 5\"}]"
within 10 "between attempts a job waits" job_is "$job" waiting
like "$(get "/api/v1/jobs/$job/explain" | jq -r .first)" "*" \
	"explain says so"
within 20 "after the last attempt it has failed" job_is "$job" failed
is "$(field "$job" '[.runs[].attempt] | sort | join(" ")')" "1 2 3" \
	"three runs are kept"
is "$(field "$job" .exit_code)" 4 "with the last one's exit code"
first=$(field "$job" '.runs | sort_by(.attempt) | .[0].ended_at')
second=$(field "$job" '.runs | sort_by(.attempt) | .[1].granted_at')
apart=$(($(date -d "$second" +%s%3N) - $(date -d "$first" +%s%3N)))
[ $apart -ge 1000 ] && pass "the delay was kept" ||
	fail "the delay was kept" "$apart ms"
within 20 "one that works in the end is finished" job_is $((job + 1)) finished
is "$(field $((job + 1)) .attempts)" 2 "and not tried any more"
is "$(field $((job + 2)) '"\(.state) \(.attempts)"')" "failed 1" \
	"without retries there is one attempt"
ok "it is tried again by hand" sortie job retry $((job + 2))
within 10 "as a second attempt" eval '[ "$(field $((job + 2)) .attempts)" = 2 ]'
within 10 "which fails, too" job_is $((job + 2)) failed
exits 1 "a finished job is not tried again" sortie job retry $((job + 1))
ok "unless that is meant" sortie job retry --force $((job + 1))
within 10 "then it runs" job_is $((job + 1)) finished
finish
