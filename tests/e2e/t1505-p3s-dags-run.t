#!/bin/sh
# 1filter, 3filters and twostep run with files and payloads given at creation,
# as p3s's users run them, and make the right files; dags whose nodes say
# nothing to run are refused by name until jobinfo says it.
. "${0%/*}/lib.sh"
. "$here/lib-p3s.sh"
. "$here/lib-workflows.sh"

start_server
start_pilot --slots 4 --cores 4
mkdir "$T/data"
printf 'TEST1\nTEST2 TEST1\nnone\nTEST3\n' >"$T/data/input.txt"
exits 0 "datatypes are defined" sortie datatype define "$p3s/data/txtDataType.json"
for dag in 1filter/1filter 3filters/3filters chain/twostep misc/wf1 misc/wf2 \
	misc/wfmulti1 sandbox/graph/multidigraph; do
	sortie dag add "$p3s/$dag.graphml" >>"$T/add.out" 2>&1 ||
		fail "$dag is stored" "$(tail -n 3 "$T/add.out")"
done

# create OPTION...: $flow is the workflow's number.
create()
{
	flow=$(sortie workflow create -q "$@" 2>"$T/said") ||
		diag "refused: $(cat "$T/said")"
}

# The experiment's files name its own directories; here they are the test's.
sed "s|/home/maxim/p3sdata|$T/data|g" "$p3s/1filter/fileinfo_1filter_m.json" \
	>"$T/fileinfo.json"
create --dag 1filter --names sticky --fileinfo "$T/fileinfo.json" \
	--jobinfo "$p3s/1filter/jobinfo_1filter.json"
ok "1filter is made and held" flow_is "$flow" held
is "$(states "$flow" | tr ' ' '\n' | grep -c finished)" 0 "nothing ran"
exits 0 "it is started" sortie workflow start "$flow"
exits 0 "and ends" sortie workflow wait --timeout 40 "$flow"
is "$(cat "$T/data/output.txt")" 3 "having counted the lines"
is "$(field "$(node "$flow" filter)" '.definition | .jobtype, .priority, .timeout' | tr '\n' ' ')" \
	"filter 4 7777 " "its job is what the dag says"
is "$(field "$(node "$flow" NOOP1)" '"\(.state) \(.runs | length)"')" \
	"finished 0" "a noop's payload is never run"
is "$(get "$v/datasets?workflow=$flow" | jq -r '[.items[] | .name + ":" + .state] | sort | join(" ")')" \
	"input.txt:ready output.txt:ready" "its files are datasets"

rm "$T/data/output.txt"
# Three edges that carry one file in, and three of one name out.
info="{\"NOOP1:filter1\":{\"dirpath\":\"$T/data\"},\"NOOP1:filter2\":{\"dirpath\":\"$T/data\"},
	\"NOOP1:filter3\":{\"dirpath\":\"$T/data\"},\"filter1:NOOP2\":{\"dirpath\":\"$T/data\",\"name\":\"1.txt\"},
	\"filter2:NOOP2\":{\"dirpath\":\"$T/data\",\"name\":\"2.txt\"},\"filter3:NOOP2\":{\"dirpath\":\"$T/data\",\"name\":\"3.txt\"}}"
nok "3filters as it is has three jobs writing one file" \
	sortie workflow create --dag 3filters --names sticky
like "$(cat "$T/ok.out")" '*filter1*filter2*output.txt*' "which is refused by their names"
create --dag 3filters --names sticky --state running --fileinfo "$info"
exits 0 "3filters ends" sortie workflow wait --timeout 40 "$flow"
is "$(cat "$T/data/1.txt" "$T/data/2.txt" "$T/data/3.txt" | tr '\n' ' ')" \
	"2 1 1 " "with the three files"
is "$(get "$v/datasets?workflow=$flow" | jq -r '.items | length')" 4 \
	"and four datasets"
get "$v/datasets/$(printf %s "$T/data/input.txt" | jq -Rr @uri)" >"$T/input"
is "$(jq -r '.consumers | length' "$T/input")" 4 \
	"what they read is one dataset, the one that 1filter read"

info="{\"NOOP1:reduction\":{\"dirpath\":\"$T/data/\",\"name\":\"input.txt\"},
	\"reduction:reco\":{\"dirpath\":\"$T/data\"},\"reco:NOOP2\":{\"dirpath\":\"$T/data/\"}}"
create --dag twostep --state defined --fileinfo "$info"
exits 0 "twostep ends" sortie workflow wait --timeout 40 "$flow"
get "$v/datasets?workflow=$flow" >"$T/datasets"
is "$(jq -r '[.items[] | .state] | unique | join(" ")' "$T/datasets")" ready "all its files are there"
path=$(jq -r '.items[] | select(.tag == "FINTXT") | .path' "$T/datasets")
is "$(cat "$path")" 3 "the last has the count"
like "${path##*/}" "????????-????-????-????-????????????.txt" "by a name of its own"
create --dag twostep --state defined --fileinfo "$info" --names inherit:shift7
exits 0 "twostep once more" sortie workflow wait --timeout 40 "$flow"
is "$(cat "$T/data/shift7:twostep:reco:FINTXT.txt")" 3 "with names that tell whence"
is "$(find "$T/data" -name 'shift7:*' | wc -l)" 2 "for both files that it made"

# Nodes without payloads
for dag in wf1 wf2 wfmulti1 multidigraph; do
	refuse "$dag has nodes without a payload" 400 '*"[afm]*payload*' \
		POST $v/workflows "{\"dag\":\"$dag\",\"names\":\"sticky\"}"
done
create --dag wf1 --names sticky --state running --env "D=$T/data" \
	--jobinfo '{"adc":{"payload":"echo adc >$D/decomp","env":{"P3S_EXECMODE":"SHELL"}},"adcViz":{"payload":"/bin/true"},"stats":{"payload":"/bin/true"}}' \
	--fileinfo "{\"adc:adcViz\":{\"dirpath\":\"$T/data\"},\"adc:stats\":{\"dirpath\":\"$T/data\"}}"
exits 0 "wf1 runs with payloads from jobinfo" sortie workflow wait --timeout 40 "$flow"
is "$(get "$v/datasets?workflow=$flow" | jq -r '[.items[] | .name + ":" + .state] | join(" ")')" \
	"decomp:ready" "and its two edges carry one file"
finish
