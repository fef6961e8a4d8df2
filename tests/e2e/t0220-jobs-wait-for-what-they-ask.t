#!/bin/sh
# Jobtype, site, pools, labels, cores and memory: a job goes only where all it
# asks for is offered, and `explain` names what is missing.
. "${0%/*}/lib.sh"

start_server
# try CLAIM JOB-MEMBERS PILOT-MEMBERS GRANTED
n=0
try()
{
	n=$((n + 1))
	submit "{\"argv\":[\"true\"],\"project\":\"p$n\",$2}"
	mine=$job
	fake_pilot "h$n" 2 "$3"
	claim 2
	got=$(of "[.grants[] | select(.job == $mine)] | length")
	is "$got" "$4" "$1"
	if [ "$got" = 1 ]; then
		run=$(of ".grants[] | select(.job == $mine) | .run")
		end_run "$run" "$mine"
	else
		call POST /api/v1/jobs/actions \
			"{\"action\":\"cancel\",\"jobs\":\"$mine\"}"
	fi
	talk DELETE ""
}
try "a job of any type" '"jobtype":"sim"' '"site":""' 1
try "a type that is accepted" '"jobtype":"sim"' '"jobtypes":{"accept":["sim"]}' 1
try "one that is not" '"jobtype":"sim"' '"jobtypes":{"accept":["reco"]}' 0
try "one that is refused" '"jobtype":"sim"' '"jobtypes":{"refuse":["sim"]}' 0
try "a type of its own pilot" '"name":"no type"' '"jobtypes":{"accept":["reco"]}' 0
try "the site asked for" '"site":"CERN"' '"site":"CERN"' 1
try "another site" '"site":"CERN"' '"site":"FNAL"' 0
try "any site will do" '"site":""' '"site":"FNAL"' 1
try "one of its pools" '"pools":["a","b"]' '"pools":["b","c"]' 1
try "none of its pools" '"pools":["a","b"]' '"pools":["c"]' 0
try "all of its labels" '"labels":{"gpu":"yes","os":"linux"}' \
	'"labels":{"gpu":"yes","os":"linux","more":"1"}' 1
try "one label short" '"labels":{"gpu":"yes","os":"linux"}' '"labels":{"gpu":"yes"}' 0
try "a label of another value" '"labels":{"os":"linux"}' '"labels":{"os":"bsd"}' 0
try "two cores of two" '"cores":2' '"site":""' 1
try "three cores of two" '"cores":3' '"site":""' 0
try "memory that is there" '"memory":"1 GiB"' '"site":""' 1
try "memory that is not" '"memory":"1025 MiB"' '"site":""' 0
try "time that is left" '"timeout":100' '"lifetime_s":200' 1
try "time that is not left" '"timeout":300' '"lifetime_s":200' 0

# Free is what counts, not the whole.
submit '[{"argv":["true"],"cores":2},{"argv":["true"],"cores":1}]'
fake_pilot busy 2
claim 2
is "$(of '[.grants[].job] | join(" ")')" "$job" "cores in use are not offered"

call POST /api/v1/jobs/actions "{\"action\":\"cancel\",\"jobs\":\"$((job + 1))\"}"

# explain, before and after
submit '{"argv":["true"],"site":"CERN"}'
get "/api/v1/jobs/$job/explain" >"$T/why"
is "$(jq '.terms[] | select(.term == "site") | .pilots_failing' "$T/why")" 1 \
	"explain counts the pilots that fail a term"
is "$(jq .pilots.fitting "$T/why")" 0 "and those that fit"
like "$(sortie job explain "$job")" "*CERN*" "the command says it in words"
fake_pilot there 1 '"site":"CERN"'
is "$(get "/api/v1/jobs/$job/explain" | jq .pilots.fitting)" 1 \
	"a pilot that fits changes it"
claim 1
is "$(of '.grants[0].job')" "$job" "and gets the job"

# Slots that no core is left for do not keep a pilot from asking when it has one.
submit '{"argv":["sleep","0.1"],"replicas":30}'
start_pilot --slots 4 --cores 1
within 15 "a pilot with fewer cores than slots is never without work" \
	counts finished 30
finish
