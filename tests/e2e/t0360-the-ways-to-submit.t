#!/bin/sh
# Files, standard input, text; replicas, inputs, sent files, and what the
# options change in each job.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 2
echo '[{"shell":"echo $A $B $P3S_INPUT_FILE $SORTIE_INDEX"}]' >"$T/job.json"
cd "$T" || exit 1
is "$(sortie job submit -q job.json)" 1 "a file"
is "$(sortie job submit -q - <job.json)" 2 "standard input"
is "$(sortie job submit -q -j '{"argv":["true"]}')" 3 "the text itself"
is "$(printf '{"argv":["true"]}\n{"argv":["true"]}\n' |
	sortie job submit -q - | tr '\n' ' ')" "4 5 " "NDJSON"
is "$(sortie job submit -q job.json job.json | tr '\n' ' ')" "6 7 " \
	"several files"
is "$(sortie job submit -q -N 3 job.json | tr '\n' ' ')" "8 9 10 " "replicas"
is "$(sortie job submit -q --input a,b job.json | tr '\n' ' ')" "11 12 " \
	"one job for each input"
sortie job submit -q -E A=1 --env B=2 --tag x=y --project pro --priority 4 \
	--set timeout=77 --set name=named -T typed --key mine job.json >/dev/null
within 15 "all run" counts finished 13
is "$(output 10)" 2 "a replica knows its index"
is "$(output 1)" "" "others have none"
is "$(output 12)" b "an input is in P3S_INPUT_FILE"
is "$(output 13)" "1 2" "variables are set"
is "$(field 13 '"\(.project) \(.priority) \(.name) \(.jobtype) \(.key) \(.tags.x)"')" \
	"pro 4 named typed mine y" "and the other keys"
is "$(field 13 .definition.timeout)" 77 "any key can be set"
is "$(sortie job list -q --tag x:y)" 13 "a tag finds its jobs"
is "$(sortie job show --json key:mine | jq .number)" 13 "so does a key"

printf '#!/bin/sh\necho ran $1; cat data; ls -l run.sh | cut -c 1-10\n' >run.sh
chmod 755 run.sh
echo stuff >data
sortie job submit -q --wait --send run.sh --send data \
	-j '{"argv":["./run.sh","x"]}' >/dev/null
is "$(output 14)" "ran x
stuff
-rwxr-xr-x" "files are put into the working directory, with their mode"
within 5 "@last is what was submitted last" \
	eval '[ "$(sortie job show --json @last | jq .number)" = 14 ]'
submit '{"argv":["true"],"send":[{"name":"x","sha256":"0000000000000000000000000000000000000000000000000000000000000000","size":1,"mode":"0644"}]}'
[ "$status" -ge 400 ] && pass "a file that was never sent is refused" ||
	fail "a file that was never sent is refused" "$answer"
finish
