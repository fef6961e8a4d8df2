#!/bin/sh
# 100,000 jobs come in parts and become real in one moment, or not at all;
# the server stays small.
. "${0%/*}/lib.sh"

start_server
awk 'BEGIN { printf "["; for (i = 1; i <= 100000; i++)
	printf "%s{\"name\":\"job %d\",\"argv\":[\"true\",\"%d\"],\"env\":{\"P3S_INPUT_FILE\":\"file-%d.root\"},\"priority\":\"%d\"}\n",
		(i > 1 ? "," : ""), i, i, i, i % 10; print "]" }' </dev/null >"$T/many.json"
now_cs
begun=$now
exits 0 "a list of 100,000 jobs is submitted" sortie job submit "$T/many.json"
now_cs
diag "$((now - begun))0 ms"
is "$(get '/api/v1/jobs/counts?first=1&count=100000' | jq .total)" 100000 \
	"all are there"
is "$(field 100000 .name)" "job 100000" "in their order"
rss=$(awk '/^VmHWM/ { print $2 }' "/proc/$server_pid/status")
if strings "$build/server/sortied" 2>/dev/null | grep -q __asan_init; then
	skip "the server stayed under 64 MiB" "sanitizers need memory of their own"
elif [ "$rss" -lt 65536 ]; then
	pass "the server stayed under 64 MiB"
else
	fail "the server stayed under 64 MiB" "$rss KiB"
fi
is "$(sortie job submit -q -N 100000 -j '{"argv":["true"]}' | tail -n 1)" 200000 \
	"100,000 replicas need one line"

# Parts by hand.
call POST /api/v1/submissions '{}'
is "$status" 201 "a submission is opened"
sub=$(of .id)
call PUT "/api/v1/submissions/$sub/parts/1" '[{"argv":["true"]},{"argv":["true"]}]'
is "$status $(of .jobs)" "200 2" "a part is put"
call PUT "/api/v1/submissions/$sub/parts/1" '[{"argv":["true"]},{"argv":["false"]}]'
is "$status" 200 "it may be put again"
call PUT "/api/v1/submissions/$sub/parts/3" '[{"argv":["true"],"name":"three"}]'
call POST "/api/v1/submissions/$sub/commit" '{"parts":3}'
is "$status" 409 "with a part missing nothing is made"
like "$(of .error.message)" "*2*" "and the part is named"
call PUT "/api/v1/submissions/$sub/parts/2" '[{"argv":["true"],"priorty":1}]'
is "$status" 400 "a bad part is refused"
call PUT "/api/v1/submissions/$sub/parts/2" '[{"argv":["true"],"name":"two"}]'
is "$(get '/api/v1/jobs?name=two' | jq '.items | length')" 0 "so far no job exists"
call POST "/api/v1/submissions/$sub/commit" '{"parts":3}' \
	-H "Idempotency-Key: $sub"
is "$status $(of .count) $(of .first)" "201 4 200001" "the commit makes all"
is "$(field 200003 .name) $(field 200004 .name)" "two three" "in order of the parts"
call POST "/api/v1/submissions/$sub/commit" '{"parts":3}' \
	-H "Idempotency-Key: $sub"
is "$status $(of .first)" "201 200001" \
	"repeated under its key it makes nothing new"
call POST /api/v1/submissions '{}'
sub=$(of .id)
call PUT "/api/v1/submissions/$sub/parts/1" '[{"argv":["true"]}]'
call DELETE "/api/v1/submissions/$sub"
is "$status" 204 "one can be given up"
call POST "/api/v1/submissions/$sub/commit" '{"parts":1}'
[ "$status" -ge 400 ] && pass "and is not there any more" ||
	fail "and is not there any more" "$answer"
finish
