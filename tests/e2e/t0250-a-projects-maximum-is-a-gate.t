#!/bin/sh
# A project's maximum of running jobs lets only so many into the queue.
. "${0%/*}/lib.sh"

start_server
call PUT /api/v1/projects/narrow '{"max_running":2}'
submit '{"argv":["true"],"project":"narrow","replicas":5}'
first=$job
submit '{"argv":["true"],"project":"wide","replicas":2}'
fake_pilot p 10
claim 10
is "$(of '[.grants[].project] | sort | join(" ")')" "narrow narrow wide wide" \
	"two of the narrow one go, all of the other"
like "$(get "/api/v1/jobs/$((first + 4))/explain" | jq -r .first)" "*narrow*" \
	"explain names the project"
run=$(of '[.grants[] | select(.project == "narrow")][0].run')
job=$(of '[.grants[] | select(.project == "narrow")][0].job')
end_run "$run" "$job"
claim 10
is "$(of '[.grants[].project] | join(" ")')" narrow "an end lets the next in"
call PUT /api/v1/projects/narrow '{"max_running":null}'
claim 10
is "$(of '.grants | length')" 2 "without a maximum all go"
finish
