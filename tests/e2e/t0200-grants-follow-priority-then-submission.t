#!/bin/sh
# I9: what waits is granted by priority, then in the order of submission.
. "${0%/*}/lib.sh"

start_server
submit '[{"argv":["true"],"priority":1},{"argv":["true"],"priority":-5},
	{"argv":["true"],"priority":10},{"argv":["true"],"priority":1},
	{"argv":["true"],"priority":2147483647},{"argv":["true"]},
	{"argv":["true"],"priority":-2147483648},{"argv":["true"],"priority":10}]'
submit '{"argv":["true"],"priority":11}'
fake_pilot one 1
order=
for turn in 1 2 3 4 5 6 7 8 9; do
	claim 1
	grant
	order="$order $job"
	end_run "$run" "$job"
done
is "$order" " 5 9 3 8 1 4 6 2 7" "one by one they come by priority"

submit '[{"argv":["true"],"priority":1},{"argv":["true"],"priority":3},
	{"argv":["true"],"jobtype":"other","priority":2},{"argv":["true"],"priority":3}]'
fake_pilot many 3
claim 3
is "$(of '[.grants[].job] | sort | join(" ")')" "11 12 13" \
	"of several free slots the first jobs get them"
claim 0
is "$(of '.grants | length')" 0 "who has nothing free gets nothing"

# Adjusted, a job changes its place.
submit '[{"argv":["true"]},{"argv":["true"]}]'
call POST /api/v1/jobs/actions "{\"action\":\"adjust\",\"jobs\":\"$((job + 1))\",
	\"set\":{\"priority\":7}}"
fake_pilot last 1
claim 1
is "$(of '.grants[0].job')" $((job + 1)) "a raised priority counts at once"
finish
