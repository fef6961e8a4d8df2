#!/bin/sh
# Binary output of any size up to the limit comes back as it was written, to
# the API and to the command.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 2
head -c 1500000 /dev/urandom >"$T/random"
awk 'BEGIN { for (i = 0; i < 256; i++) printf "%c", i }' >"$T/all" </dev/null
printf '\000\001\377\n\r\n\000' >"$T/small"
: >"$T/empty"
head -c 65536 "$T/random" >"$T/64k"
head -c 65537 "$T/random" >"$T/64k1"
head -c 4097 "$T/random" >"$T/4k1"
for name in small empty all 4k1 64k 64k1 random; do
	submit "{\"argv\":[\"cat\",\"$T/$name\"]}"
	within 20 "$name is written" job_is "$job" finished
	size=$(field "$job" '.runs[0].stdout.size')
	is "$size" "$(wc -c <"$T/$name")" "its size is known"
	sortie job logs "$job" --stdout >"$T/got" 2>"$T/said"
	if cmp "$T/got" "$T/$name" >"$T/said" 2>&1; then
		pass "the command gives it back"
	else
		fail "the command gives it back" "$(cat "$T/said")"
	fi
done
submit "{\"shell\":\"cat $T/64k1 >&2; cat $T/small\"}"
within 10 "both streams are written" job_is "$job" finished
sortie job logs "$job" --stderr >"$T/got" 2>/dev/null
ok "they are kept apart" cmp "$T/got" "$T/64k1"
curl -s --unix-socket "$sock" -H "Authorization: Bearer $token" -D "$T/head" \
	"http://s/api/v1/jobs/$job/runs/1/output/stderr?offset=65530" -o "$T/got"
is "$(wc -c <"$T/got")" 7 "output can be read from an offset"
like "$(tr -d '\r' <"$T/head")" "*Sortie-Next: 65537*" "and says where to go on"
like "$(tr -d '\r' <"$T/head")" "*Sortie-Complete: true*" "or that this is all"
finish
