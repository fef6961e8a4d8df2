#!/bin/sh
# An owner has so many jobs, so many calls a second and so many bytes; beyond
# that others go on and this one is told when to come again.
. "${0%/*}/lib.sh"

start_server
admin=$token
for owner in alice bob; do
	call POST /api/v1/tokens "{\"role\":\"user\",\"owner\":\"$owner\",\"name\":\"t\"}"
	eval "$owner=\$(of .token)"
done
# as OWNER METHOD PATH [BODY [CURL-OPTION...]]
as()
{
	eval "token=\$$1"
	shift
	call "$@"
	token=$admin
}
held='"argv":["true"],"state":"held"'

# Jobs that have not ended.
exits 0 "an administrator sets what an owner may have" sortie owner set alice --max-queued 3
as alice POST /api/v1/jobs "{$held,\"replicas\":2}"
is "$status" 201 "as many jobs are taken"
as alice POST /api/v1/jobs "{$held,\"replicas\":2}" -D "$T/head"
is "$status" 429 "and no more"
like "$(of .error.message)" "*3 jobs*" "with the number"
is "$(of .error.detail.max_queued)" 3 "for programs, too"
ok "and when to come again" grep -qi '^Retry-After: [0-9]' "$T/head"
as alice GET /api/v1/jobs
is "$(of '.items | length')" 2 "of the refused nothing is stored"
as alice POST /api/v1/jobs "[{$held}]"
is "$status" 201 "the last one fits"
as alice POST /api/v1/submissions '{}'
id=$(of .id)
as alice PUT "/api/v1/submissions/$id/parts/1" "[{$held}]"
as alice POST "/api/v1/submissions/$id/commit" '{"parts":1}'
is "$status" 429 "parts are no way around it"
as alice POST /api/v1/workflows '{"jobs":[{"name":"a","argv":["true"]}]}'
is "$status" 429 "nor are workflows"
as bob POST /api/v1/jobs "{$held,\"replicas\":50}"
is "$status" 201 "another owner has room"
as alice POST /api/v1/jobs/actions '{"action":"cancel","jobs":"1"}'
as alice POST /api/v1/jobs "{$held}"
is "$status" 201 "what has ended makes room"
as alice GET /api/v1/owners
is "$(of '.items[0] | "\(.name) \(.queued)/\(.max_queued)"')" "alice 3/3" "one sees what one has"
call PUT '/api/v1/owners/*' '{"max_queued":50}'
as bob POST /api/v1/jobs "{$held}"
is "$status" 429 "the star is for everybody without a number of their own"
call PUT /api/v1/owners/bob '{"max_queued":51}'
as bob POST /api/v1/jobs "{$held}"
is "$status" 201 "who has one goes by that"
exits 0 "none lifts it" sortie owner set '*' --max-queued none
exits 2 "a number is a number" sortie owner set bob --max-rate many

# Turns: what one owner has sent at once does not stand before another's.
call PUT /api/v1/owners/alice '{"max_queued":null}'
# floods N AT-ONCE PATH [OPTION...]: Alice calls so often; $T/flood.1 and so on
# are the answers.
floods()
{
	i=0
	while [ $((i += 1)) -le "$1" ]; do
		echo "url = \"http://sortie$3\""
		echo "output = \"$T/flood.$i\""
	done >"$T/flood"
	at_once=$2
	shift 3
	curl -s -Z --parallel-immediate --parallel-max "$at_once" \
		--unix-socket "$sock" -H "Authorization: Bearer $alice" "$@" \
		-K "$T/flood" >"$T/flood.out" 2>&1 &
	flood=$!
	started $flood other
}
floods 60 60 /api/v1/jobs -d "{$held,\"replicas\":200}" \
	-H 'Content-Type: application/json'
wait_until 10 test -s "$T/flood.1" -o -s "$T/flood.2" -o -s "$T/flood.3"
call PUT /api/v1/owners/bob '{"max_queued":null}'
as bob POST /api/v1/jobs "{$held}"
bobs=$(of .first)
wait $flood
last=$(cat "$T"/flood.[0-9]* | jq -s 'map(.first) | max')
is "$(cat "$T"/flood.[0-9]* | jq -s 'map(.count) | add')" 12000 "all that one owner sends is taken"
ok "another's job comes in between (as $bobs, before $last)" test "$bobs" -lt "$last"

# The same for reading, where statements wait for one of few connections: a
# list takes long, so many of them would be a minute's work.
floods 400 300 '/api/v1/jobs?page_size=1000&state=held'
waiting()
{
	[ "$(curl -s --unix-socket "$sock" http://sortie/metrics |
		sed -n 's/^sortie_pool_queued //p')" -ge 50 ]
}
wait_until 20 waiting || diag "too few wait"
as bob GET /api/v1/jobs/1
as bob GET /api/v1/owners
ok "one owner's reading does not stand before another's" waiting
kill $flood
wait $flood 2>/dev/null

# Calls a second.
call PUT /api/v1/owners/alice '{"max_rate":5}'
too_many=0 fine=0
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	echo "url = \"http://sortie/api/v1/whoami\""
	echo "output = \"$T/who\""
done >"$T/calls"
curl -s --unix-socket "$sock" -H "Authorization: Bearer $alice" -K "$T/calls" \
	-w '%{http_code}\n' >"$T/codes"
[ "$(grep -c '^200' "$T/codes")" -ge 5 ] && [ "$(grep -c '^429' "$T/codes")" -ge 5 ] &&
	pass "calls beyond the rate are refused" ||
	fail "calls beyond the rate are refused" "$(sort "$T/codes" | uniq -c)"
sed 's/whoami/jobs/' "$T/calls" >"$T/others"
curl -s --unix-socket "$sock" -H "Authorization: Bearer $bob" -K "$T/others" \
	-w '%{http_code}\n' >"$T/codes"
is "$(grep -c '^200' "$T/codes")" 20 "others are not"
again()
{
	as alice GET /api/v1/whoami
	[ "$status" = 200 ]
}
within 5 "a moment later one may again" again
ok "the refused are counted" sh -c "curl -s --unix-socket '$sock' http://sortie/metrics | grep -q '^sortie_auth_too_many_total [1-9]'"
call PUT /api/v1/owners/alice '{"max_rate":null}'

# Bytes: files, dags, datasets, jobs, their output.
for owner in carol dora; do
	call POST /api/v1/tokens "{\"role\":\"user\",\"owner\":\"$owner\",\"name\":\"t\"}"
	eval "$owner=\$(of .token)"
done
# stored: what carol has; max BYTES: what she may have
stored()
{
	get /api/v1/owners | jq -r '.items[] | select(.name == "carol") | .stored'
}
max()
{
	call PUT /api/v1/owners/carol "{\"max_stored\":$1}"
}
# put OWNER TEXT
put()
{
	printf '%s' "$2" >"$T/file"
	sum=$(sha256sum "$T/file" | cut -d ' ' -f 1)
	eval "token=\$$1"
	status=$(curl -s -o "$T/answer" -w '%{http_code}' --unix-socket "$sock" \
		-H "Authorization: Bearer $token" -T "$T/file" \
		"http://sortie/api/v1/files/$sum")
	token=$admin
}
max 10
put carol 12345678
is "$status" 201 "a file is stored"
put carol abcdefgh
is "$status" 507 "one too many is not"
like "$(of .error.message)" "you may store 10 bytes (*: delete what is not needed, *" \
	"which is said in one sentence"
call GET "/api/v1/files/$sum"
is "$status" 404 "it is not there"
is "$(find "$state/blobs" -name "*$(echo "$sum" | cut -c 5-)*")" "" "nor on the disk"
put carol 12345678
is "$status" 200 "what is there already costs nothing"
put dora abcdefgh
is "$status" 201 "another owner may"
dag='{"jobs":{"a":{"shell":"true"}}}'
as carol PUT /api/v1/dags/hers "$dag"
is "$status" 507 "a dag is stored, too"
max 39
as carol PUT /api/v1/dags/hers "$dag"
is "$status $(stored)" "201 39" "exactly what fits is"
as carol PUT /api/v1/dags/hers '{"jobs":{"b":{"shell":"true"}}}'
is "$status" 507 "all of its versions count"
as carol POST /api/v1/datasets '{"path":"/d/x","comment":"12"}'
is "$status" 507 "datasets are"
max 46
as carol POST /api/v1/datasets '{"path":"/d/x","comment":"12"}'
is "$status $(stored)" "201 46" "by path, name and comment"
data=$(of '.datasets[0].number // .number')
as carol PATCH "/api/v1/datasets/$data" '{"comment":"123"}'
is "$status" 507 "no longer comment comes in later"
as carol DELETE "/api/v1/datasets/$data"
is "$status $(stored)" "204 39" "one that is deleted gives them back"
as carol POST /api/v1/jobs "{$held}"
is "$status" 507 "no job is taken"
as carol POST /api/v1/submissions '{}'
id=$(of .id)
as carol PUT "/api/v1/submissions/$id/parts/1" "[{$held}]"
is "$status" 507 "nor a part of many"
as carol POST /api/v1/workflows '{"jobs":[{"name":"a","argv":["true"]}]}'
is "$status" 507 "nor a workflow"
max 10000
as carol PUT "/api/v1/submissions/$id/parts/1" "[{$held,\"name\":\"n\"},{$held}]"
as carol PUT "/api/v1/submissions/$id/parts/1" "[{$held}]"
parts=$(($(stored) - 39))
as carol POST "/api/v1/submissions/$id/commit" '{"parts":1}'
parted=$(of .first)
as carol GET "/api/v1/jobs/$parted"
is "$(($(stored) - 39))" "$parts" "a part counts as its jobs do, in place of an earlier one"
ok "which is what they are described by" test "$parts" = 17
as carol POST /api/v1/jobs/actions "{\"action\":\"delete\",\"cancel\":true,\"jobs\":\"$parted\"}"
is "$(stored)" 39 "without them it is gone"
# A pilot of hers, and output: a little with the end, and more than is kept.
call POST /api/v1/tokens '{"role":"join","owner":"carol","name":"j"}'
join_token_file=$T/join-of-carol
of .token >"$join_token_file" && chmod 600 "$join_token_file"
start_pilot --slots 2
token=$carol
submit '{"shell":"printf 1234567890; printf 12345 >&2"}'
little=$job
submit '{"shell":"head -c 3000000 /dev/zero | tr \\\\0 x"}'
token=$admin
within 20 "her jobs run" has_ended "$little"
within 20 "with much output" has_ended "$job"
kept=$(field "$job" '[.runs[].stdout.stored] | add')
is "$(($(stored) - 39 - 15))" \
	"$((kept + $(query "SELECT sum(octet_length(definition)) FROM sortie.job WHERE number IN ($little, $job)")))" \
	"output counts as far as it is kept"
max 100000
as carol POST /api/v1/jobs "{$held}"
is "$status" 507 "whoever has written too much submits nothing"
as carol POST /api/v1/jobs/actions "{\"action\":\"delete\",\"jobs\":\"$little,$job\"}"
is "$(stored)" 39 "until it is deleted"
as carol POST /api/v1/jobs "{$held}"
is "$status" 201 "then again"
finish
