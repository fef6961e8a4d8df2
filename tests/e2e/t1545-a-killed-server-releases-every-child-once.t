#!/bin/sh
# kill -9 of the server in the middle of releasing the 10,000 jobs that come
# after one: all of them become ready, and each runs exactly once.
. "${0%/*}/lib.sh"
. "$here/lib-workflows.sh"
command -v python3 >/dev/null || skip_all "there is no python3"

n=10000
start_server
jq -nc --argjson n $n '{jobs: ({root: {shell: "true"}} + ([range($n) |
	{key: "n\(.)", value: {shell: "true", after: ["root"]}}] | from_entries) +
	{last: {shell: "true", after: [range($n) | "n\(.)"]}})}' >"$T/fan.json"
flow=$(sortie workflow create -q "$T/fan.json")
is "$(get $v/workflows/"$flow" | jq .jobs)" $((n + 2)) "a workflow of one, 10,000 after it, and one after those"
fake_pilot killer 1
claim 1
grant
end_run "$run" "$job"
is "$status" 200 "the one has ended"
untold()
{
	query "SELECT count(*) FROM sortie.edges_1() e JOIN sortie.node p ON p.number = e.parent
		WHERE e.met IS NULL AND p.name = 'root'"
}
kill -9 "$server_pid"
wait_until 5 gone "$server_pid"
start_server
left=$(untold)
diag "$left edges were not told when the server was killed"
[ "$left" -gt 0 ] && pass "it was killed in the middle" ||
	skip "it was killed in the middle" "it had told all edges already"
exits 0 "zero-work pilots run what is ready" python3 "$here/zero_pilot.py" \
	"$sock" "$join_token_file" $((n + 1)) 60 "$T/granted"
ends "$flow" finished "the workflow ends"
is "$(get $v/workflows/"$flow" | jq -c .states)" "{\"finished\":$((n + 2))}" "all of it finished"
is "$(sort "$T/granted" | uniq -d | head -n 3)" "" "no job was granted twice"
is "$(wc -l <"$T/granted")" $((n + 1)) "and each was"
is "$(untold)" 0 "every edge is told"
finish
