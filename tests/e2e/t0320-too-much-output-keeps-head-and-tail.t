#!/bin/sh
# A stream beyond its limit keeps its head and its tail, says how much was
# left out, and its meta lines are read before that.
. "${0%/*}/lib.sh"

start_server --output-head "64 KiB" --output-tail "64 KiB"
start_pilot --slots 1
submit '{"shell":"seq 1 200000; echo meta: name=middle; seq 200001 400000"}'
within 30 "a job writes 2.7 MB" job_is "$job" finished
seq 1 200000 >"$T/want"
echo "meta: name=middle" >>"$T/want"
seq 200001 400000 >>"$T/want"
size=$(wc -c <"$T/want")
is "$(field "$job" '.runs[0].stdout.size')" "$size" "the whole size is known"
left=$(field "$job" '.runs[0].stdout.left_out')
stored=$(field "$job" '.runs[0].stdout.stored')
is $((left + stored)) "$size" "what is stored and what was left out is all"
[ "$stored" -ge 131072 ] && [ "$stored" -lt 400000 ] &&
	pass "about as much as the limits is stored" ||
	fail "about as much as the limits is stored" "$stored bytes"
sortie job logs "$job" --stdout >"$T/got" 2>"$T/said"
head -c 65536 "$T/want" >"$T/head"
head -c 65536 "$T/got" | cmp -s - "$T/head" && pass "the head is exact" ||
	fail "the head is exact"
tail -c 65000 "$T/want" >"$T/tail"
tail -c 65000 "$T/got" | cmp -s - "$T/tail" && pass "the tail is exact" ||
	fail "the tail is exact"
like "$(cat "$T/said")" "*2.4 MiB*left out*" \
	"the command says how much was left out"
is "$(field "$job" '.meta[0].name')" middle \
	"a meta line in the middle was read"
finish
