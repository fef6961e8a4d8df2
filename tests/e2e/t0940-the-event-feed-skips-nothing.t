#!/bin/sh
# I11: what happened is told in order, by cursor, without gaps or repeats;
# waiting gets it as it happens.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 2
cursor=$(get "/api/v1/events" | jq -r .next)
submit '{"argv":["true"],"replicas":20}'
within 20 "jobs run" counts finished 20
sortie job submit -q --hold -j '{"argv":["true"]}' >/dev/null
sortie job cancel 21 >/dev/null
: >"$T/events"
pages=0
while [ $pages -lt 100 ]; do
	pages=$((pages + 1))
	get "/api/v1/events?page_size=7${cursor:+&after=$cursor}" >"$T/page"
	[ "$(jq '.items | length' "$T/page")" != 0 ] || break
	jq -c '.items[]' "$T/page" >>"$T/events"
	cursor=$(jq -r .next "$T/page" | sed 's/+/%2B/g; s/:/%3A/g; s/,/%2C/g')
done
is "$(jq -r 'select(.kind == "ended" or .kind == "finished") | .job' "$T/events" | sort -n | uniq | wc -l)" \
	20 "every end is told"
is "$(sort "$T/events" | uniq -d | wc -l)" 0 "nothing twice"
[ "$(grep -c cancel "$T/events")" -ge 1 ] && pass "so is a cancel" ||
	fail "so is a cancel" "$(cut -c 1-200 "$T/events" | tail -n 5)"
curl -s --unix-socket "$sock" -H "Authorization: Bearer $token" -o "$T/next" \
	"http://s/api/v1/events?wait=30&after=$cursor" &
waiter=$!
started $waiter other
submit '{"argv":["true"]}'
within 10 "who waits hears of the next one" gone $waiter
ok "which is something" jq -e '.items | length > 0' "$T/next"
finish
