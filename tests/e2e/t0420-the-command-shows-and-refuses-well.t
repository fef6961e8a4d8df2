#!/bin/sh
# Tables, JSON, ids; wrong use gets one sentence, the usage line and status 2.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 2 --site home
sortie job submit -q --wait -N 3 -j '{"name":"listed","shell":"echo hi"}' >/dev/null
exits 0 "job list" sortie job list
like "$said" "*listed*finished*" "is a table"
is "$(sortie job list -q 1-3 | sort -n | tr '\n' ' ')" "1 2 3 " "or ids"
is "$(sortie job list --json | jq '.items | length')" 3 "or JSON"
is "$(sortie job list --ndjson | wc -l)" 3 "or NDJSON"
is "$(sortie job list -q --state failed)" "" "filtered by state"
is "$(sortie job list -q 1-2 | sort -n | tr '\n' ' ')" "1 2 " "or number"
exits 0 "job show" sortie job show 2
like "$said" "*listed*" "tells of one job"
is "$(sortie job show --json 2 | jq -r '.runs[0].state')" finished "with its runs"
is "$(sortie job logs 3)" hi "job logs"
exits 0 "job wait" sortie job wait 1-3
is "$(sortie job wait --json 1-3 | jq -c .)" \
	'{"total":3,"ended":3,"states":{"finished":3}}' "counts as JSON"
is "$(sortie job wait --json 2,98-99 2>"$T/err" | jq .missing)" 2 \
	"with those that are missing"
sortie job submit -q --hold -j '{"argv":["true"],"name":"fourth"}' >/dev/null
is "$(sortie job wait --json --timeout 1 3-4 2>/dev/null | jq -Sc .states)" \
	'{"finished":1,"held":1}' "job wait tells what goes on when time is over"
is "$(sortie job wait --json --timeout 1 2,4 2>/dev/null | jq -c .ended)" 1 \
	"of jobs apart, too"
exits 0 "job adjust" sortie job adjust --comment "looked at" --priority 3 4
is "$(field 4 '"\(.comment) \(.priority)"')" "looked at 3" \
	"changes what may be changed"
exits 1 "an ended job" sortie job adjust --priority 3 1
like "$said" "*finished*" "may not be changed"
exits 0 "pilot list" sortie pilot list
like "$said" "*p1*home*" "names host and site"
exits 0 "pilot show" sortie pilot show 1
exits 0 "summary" sortie summary
is "$(sortie summary --json | jq '.now.jobs.finished')" 3 "counts"
is "$(sortie summary --json | jq '.windows."60".ended.finished')" 3 \
	"over the last minute, too"
exits 0 "whoami by api" sortie api GET /api/v1/whoami
is "$(sortie api POST /api/v1/jobs -d '{"argv":["true"]}' | jq .count)" 1 \
	"api posts"
exits 0 "doctor" sortie doctor
like "$said" "*ok*" "finds things right"
exits 0 "events" sortie events
like "$said" "*pilot*" "tell what happened"
is "$(sortie events -n 2 --ndjson | jq -c .)" "$(sortie events --ndjson | tail -n 2 | jq -c .)" \
	"or the newest alone"
is "$(sortie events -k submitted -n 1 --ndjson | jq .job)" 5 "of a kind"
is "$(sortie events -k submitted --after 0 -n 1 --ndjson | jq .job)" 1 "or the first"
exits 1 "a kind that is none" sortie events --kind nosuch
like "$said" '*"nosuch"*adjusted, *, workflow started*' "is answered with those there are"

exits 2 "an unknown command" sortie job lsit
like "$said" "*list*" "suggests the nearest"
exits 2 "an unknown option" sortie job list --no-such
like "$said" "*usage:*" "shows the usage"
exits 2 "an argument short" sortie job show
exits 2 "no number" sortie job submit -N x "$top/examples/replicas.json"
exits 2 "no priority" sortie job submit -P x "$top/examples/replicas.json"
like "$said" 'sortie: --priority: "x"*' "is blamed on the option, not on the file"
exits 2 "no number of cores" sortie job run --cores x true
like "$said" 'sortie: --cores: "x"*' "is, too"
exits 5 "a job that is not there" sortie job show 999
exits 1 "a file that is not there" sortie job submit "$T/nothing.json"
exits 4 "a token that is not known" \
	env SORTIE_TOKEN=st_0000 sortie job list
exits 3 "no server" env SORTIE_URL="unix:$T/nobody" sortie job list
like "$said" "*sortied*" "says how to start one"
exits 0 "a pilot may be started before the server" \
	env SORTIE_URL="unix:$T/nobody" SORTIE_JOIN_TOKEN=sj_0000 \
	sortie pilot start --program true --log-dir "$T/logs"
like "$said" "*no server answers*pilot process*" "with a word on that"
is "$(SORTIE_JOIN_TOKEN=sj_0000 sortie pilot start -n 2 --json --program true --log-dir "$T/logs" |
	jq '[.items[] | select(.pid > 1 and (.log | test("/logs/")))] | length')" 2 \
	"or tells them as JSON"
exits 0 "help" sortie help job submit
like "$said" "*--replicas*" "tells the options"

exits 0 "job delete" sortie job delete 1
exits 5 "forgets a job" sortie job show 1
finish
