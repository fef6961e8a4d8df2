#!/bin/sh
# 5,000 jobs fail at one time while a client with 512 descriptors waits for
# them and others look: it learns of every one.
. "${0%/*}/lib.sh"

start_server
submit '{"argv":["false"],"replicas":5000}'
is "$(of .count)" 5000 "5,000 jobs are queued"
fake_pilot p 5000
n=0
while [ $n -lt 5000 ]; do
	claim 1000
	got=$(of '.grants | length')
	[ "${got:-0}" -gt 0 ] || break
	of '.grants[] | "\(.run) \(.job)"' >>"$T/grants"
	n=$((n + got))
done
is "$n" 5000 "all are granted"
(
	ulimit -n 512
	exec sortie job wait 1-5000 >"$T/wait.out" 2>&1
) &
waiting=$!
started $waiting other
(
	ulimit -n 512
	exec sortie events -f >"$T/events.out" 2>&1
) &
started $! other
within 5 "a client waits" alive "$waiting"
split -l 1000 "$T/grants" "$T/part."
for part in "$T"/part.a?; do
	awk 'BEGIN { printf "{\"ends\":[" }
		{ printf "%s{\"run\":\"%s\",\"job\":%s,\"state\":\"failed\",\"exit_code\":1,\"ago_ms\":0,\"wall_ms\":1,\"started\":true}", n++ ? "," : "", $1, $2 }
		END { print "]}" }' "$part" >"$part.json"
	curl -s --unix-socket "$sock" -H "Authorization: Bearer $pilot_token" \
		-H 'Content-Type: application/json' -d "@$part.json" \
		-o "$part.reply" "http://s/api/v1/pilots/$pilot_id/report" &
	posts="${posts:-} $!"
done
wait $posts
is "$(cat "$T"/part.*.reply | jq -s '[.[].acked.ends[]] | length')" 5000 \
	"all ends are acknowledged"
within 20 "the client's wait ends" gone "$waiting"
wait "$waiting"
is $? 1 "with the jobs' exit status"
is "$(n_in failed)" 5000 "5,000 have failed"
nok "nobody ran out of descriptors" \
	grep -qi 'too many open' "$T/wait.out" "$T/events.out" "$T/server-s.out"
finish
