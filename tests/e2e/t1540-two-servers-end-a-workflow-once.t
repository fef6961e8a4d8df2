#!/bin/sh
# Two servers on one database: a workflow whose last two jobs end at the same
# moment, one at each, ends exactly once.
. "${0%/*}/lib.sh"
. "$here/lib-workflows.sh"

start_database
launch a --database "$database" --state-dir "$T/a.state" --blob-dir "$T/blobs"
use_server "$T/a" "$T/a.state"
launch b --database "$database" --state-dir "$T/b.state" --blob-dir "$T/blobs"

rounds=25
flows=
for i in $(seq $rounds); do
	make '{"jobs":{"x":{"shell":"true"},"y":{"shell":"true"},"z":{"noop":true,"after":["x","y"]}}}'
	flows="$flows $flow"
done
fake_pilot left $rounds
left_id=$pilot_id left_token=$pilot_token
claim $rounds
cp "$T/answer" "$T/left"
fake_pilot right $rounds
claim $rounds
cp "$T/answer" "$T/right"
is "$(cat "$T/left" "$T/right" | jq '.grants | length' | paste -sd' ')" "$rounds $rounds" \
	"two pilots have all jobs between them"

# report SERVER PILOT TOKEN RUN-AND-JOB
report()
{
	curl -s -o "$T/report.$1" -w '%{http_code}\n' --unix-socket "$T/$1" \
		-H "Authorization: Bearer $3" -H 'Content-Type: application/json' -d "{\"ends\":[{$4,
		\"state\":\"finished\",\"exit_code\":0,\"ago_ms\":0,\"wall_ms\":1,\"started\":true}]}" \
		"http://s/api/v1/pilots/$2/report" >>"$T/reported"
}
# Both sides take the workflows in the same order, so that they meet.
ends_of()
{
	jq -r '.grants | sort_by(.job) | .[] | "\"run\":\"\(.run)\",\"job\":\(.job)"' "$1"
}
ends_of "$T/left" >"$T/left.ends"
ends_of "$T/right" >"$T/right.ends"
cat "$T/left.ends" "$T/right.ends" | sed 's/.*"job":\([0-9]*\)/\1 &/' | sort -n | cut -d' ' -f2- |
	paste -d' ' - - >"$T/pairs"
while read -r one two; do
	for side in "a $one" "b $two"; do
		end=${side#* }
		id=$pilot_id tok=$pilot_token
		grep -qxF "$end" "$T/left.ends" && id=$left_id tok=$left_token
		report "${side%% *}" "$id" "$tok" "$end" &
	done
	wait $!
done <"$T/pairs"
wait_until 10 eval '[ "$(wc -l <"$T/reported")" = $((2 * rounds)) ]'
is "$(sort "$T/reported" | uniq -c | tr -s ' ')" " $((2 * rounds)) 200" "each end is taken, at either server"
for flow in $flows; do
	wait_until 10 flow_is "$flow" finished || fail "workflow $flow ends" "$(states "$flow")"
done
is "$(get "$v/workflows?page_size=100" | jq -r '[.items[] | "\(.state) \(.ended) \(.bad)"] | unique | join(", ")')" \
	"finished 3 0" "each workflow has ended, its jobs counted once"
is "$(query "SELECT count(*), count(DISTINCT text) FROM sortie.event WHERE kind = 'workflow ended'" 2>&1)" \
	"$rounds|$rounds" "and each end was told once"
finish
