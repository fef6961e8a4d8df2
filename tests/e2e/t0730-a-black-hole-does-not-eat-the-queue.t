#!/bin/sh
# A pilot whose runs keep failing at once stops claiming for a while and says
# so; what it leaves is there for others.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 1
submit '{"argv":["/no/such/program"],"replicas":500}'
within 15 "it says that it pauses" grep -qiE 'paus|claim.*(wait|stop)|stops? claiming|fail' "$T/$pilot.log"
"$helper" pause 1000
left=$(n_in defined)
[ "$left" -ge 300 ] && pass "most of the queue is still there" ||
	fail "most of the queue is still there" "$left of 500"
call POST /api/v1/jobs/actions '{"action":"cancel","first":1,"count":500}'
finish
