#!/bin/sh
# A job with not_before waits for its time, and goes then by itself.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 1
due=$(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%SZ)
submit "[{\"argv\":[\"true\"],\"not_before\":\"$due\"},{\"argv\":[\"true\"]}]"
is "$(field "$job" .state)" waiting "it waits"
within 10 "one without runs" job_is $((job + 1)) finished
is "$(field "$job" .state)" waiting "while it still waits"
within 15 "its time comes" job_is "$job" finished
granted=$(field "$job" '.runs[0].granted_at')
[ "$(date -d "$granted" +%s)" -ge "$(date -d "$due" +%s)" ] &&
	pass "it was not granted before" ||
	fail "it was not granted before" "$granted, due $due"
finish
