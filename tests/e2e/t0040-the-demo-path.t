#!/bin/sh
# What ./run-demo does with the examples: submit, wait, show, all by `sortie`.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 2
exits 0 "the example's jobs all finish" \
	sortie job submit --wait "$top/examples/jobs.json"
is "$(get /api/v1/jobs | jq '[.items[] | select(.state == "finished")] | length')" \
	5 "there are five"
exits 0 "their list is shown" sortie job list
like "$said" "*greeting*finished*" "with names and states"
exits 0 "output is shown" sortie job logs 1
is "$said" "Hello from Sortie" "as the payload wrote it"
is "$(output 5)" "1
2
3" "a shell job with an environment of its own"
like "$(output 3)" "running on Linux, greeting is good morning" \
	"P3S_EXECMODE runs the payload by a shell"
exits 0 "the summary" sortie summary
like "$said" "*finished*5*" "counts them"

exits 3 "trouble is told by the exit status" \
	sortie job submit --wait "$top/examples/failing.json"
is "$(field 6 .state) $(field 7 .state) $(field 8 .state)" \
	"failed timelimit failed" "each ends in its way"

exits 0 "replicas" sortie job submit --wait "$top/examples/replicas.json"
is "$(output 12)" "this is number 3" "know their number"
exits 0 "a script that is sent along" sortie job submit --wait \
	--send "$top/examples/send.sh" "$top/examples/send.json"
like "$(output 13)" "*argument: the second one*" "runs there"
finish
