#!/bin/sh
# I6: counters and limits equal what the rows say, at any moment of a load
# with every kind of end, action and trouble; and a breach is found.
. "${0%/*}/lib.sh"

start_server --lease 4 --heartbeat 1
sortie limit set two 2 >/dev/null
sortie jobtype set few 3 >/dev/null
call PUT /api/v1/projects/gated '{"max_running":2}'
start_pilot --slots 4
victim=$pilot_child
start_pilot --slots 4
for turn in 1 2 3; do
	submit '[{"argv":["true"],"replicas":60,"project":"a"},
		{"argv":["false"],"replicas":4,"project":"b","retries":1,"retry_delay":1},
		{"argv":["true"],"replicas":20,"limits":{"two":1}},
		{"argv":["sleep","0.2"],"replicas":20,"jobtype":"few"},
		{"argv":["true"],"replicas":20,"project":"gated","priority":3},
		{"argv":["sleep","1000"],"timeout":1,"replicas":2},
		{"argv":["true"],"replicas":10,"state":"held"},
		{"shell":"kill -9 $$","replicas":5}]'
	[ "$status" = 201 ] || fail "the load is submitted" "$answer"
	call POST /api/v1/jobs/actions "{\"action\":\"cancel\",\"jobs\":\"$((job + 30))-$((job + 100))\"}"
	call POST /api/v1/jobs/actions "{\"action\":\"hold\",\"jobs\":\"$((job + 101))-$((job + 120))\"}"
	call POST /api/v1/jobs/actions "{\"action\":\"adjust\",\"jobs\":\"$((job + 1))-$((job + 20))\",\"set\":{\"priority\":$turn}}"
	call POST /api/v1/jobs/actions "{\"action\":\"release\",\"jobs\":\"$((job + 89))-$((job + 141))\"}"
	[ $turn != 2 ] || kill -9 "$victim"
	audit_once "$sock"
done
call POST /api/v1/jobs/actions '{"action":"release","jobs":"1-1000"}'
call PUT /api/v1/projects/gated '{"max_running":null}'
all_ended()
{
	[ "$(get '/api/v1/jobs?state=live' | jq '.items | length')" = 0 ]
}
within 90 "every job ends" all_ended
is "$(get '/api/v1/limits' | jq '.items[] | select(.name == "two") | .used')" 0 \
	"no token is held in the end"
audit_once "$sock"

query "UPDATE sortie.lim SET used = used + 1 WHERE name = 'two'" >"$T/breach"
sortied --audit --database "host=$state/run user=sortie dbname=sortie" >"$T/audit" 2>&1
is $? 3 "a counter that is wrong is found"
like "$(cat "$T/audit")" "*two*" "and named"
query "UPDATE sortie.lim SET used = used - 1 WHERE name = 'two'" >"$T/breach"
finish
