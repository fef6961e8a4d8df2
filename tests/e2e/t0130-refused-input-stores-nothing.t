#!/bin/sh
# Whatever is wrong with a submission, one clear sentence comes back and
# nothing is stored: all leniencies of json-c included.
. "${0%/*}/lib.sh"
start_server

# refuse CLAIM STATUS GLOB BODY: GLOB is of the message.
refuse()
{
	call POST /api/v1/jobs "$4"
	if [ "$status" != "$2" ]; then
		fail "$1" "status $status: $answer"
		return
	fi
	like "$(of .error.message)" "$3" "$1"
}

refuse "no JSON at all" 400 "*" 'hello'
refuse "an open brace" 400 "*" '{"argv":["true"]'
refuse "a text instead of jobs" 400 "*" '"job"'
refuse "a number instead of jobs" 400 "*" '17'
refuse "single quotes" 400 "*" "{'argv':['true']}"
refuse "a comment" 400 "*" '{"argv":["true"]/* no */}'
refuse "a comma too many" 400 "*" '{"argv":["true"],}'
refuse "a comma too many in a list" 400 "*" '[{"argv":["true"]},]'
refuse "NaN" 400 "*" '{"argv":["true"],"priority":NaN}'
refuse "Infinity" 400 "*" '{"argv":["true"],"priority":-Infinity}'
refuse "True" 400 "*" '{"argv":["true"],"state":True}'
refuse "a leading zero" 400 "*" '{"argv":["true"],"priority":007}'
refuse "a key twice" 400 "*argv*" '{"argv":["true"],"argv":["false"]}'
refuse "text behind it" 400 "*" '{"argv":["true"]} and more'
refuse "a raw control character" 400 "*" "$(printf '{"argv":["true"],"name":"a\tb"}')"
refuse "a raw newline in a text" 400 "*" "$(printf '{"argv":["true"],"name":"a\nb"}')"
refuse "invalid UTF-8" 400 "*" "$(printf '{"argv":["true"],"name":"a\377b"}')"
refuse "an overlong UTF-8 form" 400 "*" "$(printf '{"argv":["true"],"name":"\300\257"}')"
refuse "NUL in a text" 400 "*" '{"argv":["true"],"name":"a\u0000b"}'
refuse "half a surrogate pair" 400 "*" '{"argv":["true"],"name":"\ud800"}'
refuse "seventeen levels" 400 "*" \
	'{"argv":["true"],"config":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}'
refuse "an unknown key" 400 "*paylod*" '{"paylod":"/bin/true"}'
refuse "a wrong type" 400 "*argv*" '{"argv":"true"}'
refuse "a number out of range" 400 "*priority*" \
	'{"argv":["true"],"priority":2147483648}'
refuse "an integer beyond 64 bits" 400 "*64 bits*" \
	'{"argv":["true"],"priority":99999999999999999999}'
refuse "a timeout beyond 10^9 s" 400 "*timeout*" \
	'{"argv":["true"],"timeout":1000000001}'
refuse "no payload" 400 "*payload*" '{"name":"nothing to do"}'
refuse "two payloads" 400 "*" '{"argv":["true"],"shell":"true"}'
refuse "a variable without a name" 400 "*env*" '{"argv":["true"],"env":{"":"x"}}'
refuse "a feature that is not there" 400 "*callback*" \
	'{"argv":["true"],"callback":"http://example.org/"}'
refuse "an unknown limit" 400 "*maya*" '{"argv":["true"],"limits":["maya"]}'
refuse "the second of two" 400 "*[12]*priority*" \
	'[{"argv":["true"]},{"argv":["true"],"priority":"high"}]'
call POST /api/v1/jobs '{"argv":["true"],"timeout":1000000000}'
is "$status" 201 "10^9 s are real"

printf '{"argv":["true"],"name":"a\000b"}' >"$T/nul"
call POST /api/v1/jobs '' --data-binary "@$T/nul" -H 'Content-Type: application/json'
is "$status" 400 "a raw NUL"
head -c 1100000 /dev/zero | tr '\0' ' ' >"$T/big"
call POST /api/v1/jobs '' --data-binary "@$T/big" -H 'Content-Type: application/json'
is "$status" 413 "a body of more than 1 MiB"
call POST /api/v1/jobs '' --data-binary '{"argv":["true"]}' \
	-H 'Content-Type: text/html'
is "$status" 415 "another kind of document"
call PATCH /api/v1/jobs '{"argv":["true"]}'
is "$status" 405 "a method that is not for jobs"
call GET /api/v1/no-such-thing
is "$status $(of .error.code)" "404 not_found" "a path that is not there"

is "$(get /api/v1/jobs | jq '.items | length')" 1 "nothing of it was stored"

# The command finds the same, and says which file, job and key.
echo '{"not":"a list"}' >"$T/object.json"
printf '[{"argv":["true"]},\n {"argv":["true"],"priority":"x"}]' >"$T/second.json"
printf '[{"argv":["true"],"name":"a\001b"}]' >"$T/control.json"
echo '[{"argv":["true"]}]' >"$T/good.json"
for name in object second control; do
	nok "the command refuses $name.json" sortie job submit "$T/$name.json"
	like "$(cat "$T/ok.out")" "*$name.json*" "and names it"
done
like "$(sortie job submit "$T/second.json" 2>&1)" "*job 2*priority*" \
	"it names the job's index and the key"
nok "a good file beside a bad one is not sent either" \
	sortie job submit "$T/good.json" "$T/second.json"
is "$(get /api/v1/jobs | jq '.items | length')" 1 "still nothing is stored"
finish
