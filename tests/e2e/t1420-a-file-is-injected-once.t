#!/bin/sh
# What injectors tell the server: each file becomes a dataset and a workflow or
# a job, once, whoever tells it how often.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 2
v=/api/v1
mkdir "$T/in"
echo one >"$T/in/a b.txt"

# inject PATH VERSION MEMBERS
inject()
{
	call POST $v/injections "{\"stream\":\"s\",\"path\":\"$1\",\"version\":$2,\"size\":4,
		\"modified_at\":\"2026-11-22T07:00:00.000Z\",\"seen_at\":\"2026-11-22T07:00:01.000Z\",
		\"complete_at\":\"2026-11-22T07:00:03.000Z\",$3}"
}

# refuse CLAIM STATUS GLOB PATH VERSION MEMBERS
refuse()
{
	inject "$4" "$5" "$6"
	if [ "$status" = "$2" ]; then
		like "$(of .error.message)" "$3" "$1"
	else
		fail "$1" "status $status: $answer"
	fi
}

call PUT $v/dags/d '{"jobs":{"src":{"noop":true},"work":{"shell":"cat \"$IN\" \"$P3S_INPUT_FILE\""},"end":{"shell":"echo $P3S_INPUT_FILE"}},
	"datasets":[{"from":"src","to":"work","tag":"IN","name":"x","directory":"/nowhere"},{"from":"work","to":"end"}]}'
flow='"workflow":{"dag":"d","name":"w","state":"running"}'
inject "$T/in/a b.txt" 1 "$flow"
is "$status $(of '[.created, .version, .dataset, .workflow, .job] | join(" ")')" \
	"201 true 1 1 1 " "a file becomes a dataset and a workflow"
inject "$T/in/a b.txt" 1 "$flow"
is "$status $(of '[.created, .version, .dataset, .workflow, .size] | join(" ")')" \
	"200 false 1 1 1 4" "told again it becomes nothing more"
call GET "$v/workflows/1?wait=30"
is "$(of .state)" finished "the workflow ends"
work=$(get $v/workflows/1/jobs | jq -r '.items[] | select(.name == "work").job')
within 5 "its job read the file by edge and variable" output_is "$work" "one
one"
call GET $v/datasets/1
is "$(of '[.state, .size, .name] | join(" ")')" "ready 4 a b.txt" "the dataset is ready"
is "$(of '.consumers | length')" 1 "and knows who reads it"
inject "$T/in/a b.txt" 2 "$flow"
is "$status $(of '[.created, .version, .dataset, .workflow] | join(" ")')" \
	"201 true 2 2 2" "another version is injected when it is told"
refuse "but none before the one before it" 409 'version 3 *' "$T/in/a b.txt" 4 "$flow"

inject "$T/in/a b.txt" 1 '"edges":["src:work"],'"$flow"
is "$status" 200 "whatever it is told with"
echo two >"$T/in/c"
inject "$T/in/c" 1 '"job":{"shell":"cat \"$P3S_INPUT_FILE\"","name":"j","env":{"A":"b"}}'
is "$status $(of '[.created, .workflow] | join(" ")')" "201 true " "a file becomes a job"
job=$(of .job)
within 10 "which runs" job_is "$job" finished
within 5 "and reads it" output_is "$job" two
call GET "$v/datasets/$(get "$v/injections?path=$T/in/c" | jq -r '.items[0].dataset')"
is "$(of '.consumers[0]')" "$job" "its dataset knows"

call GET "$v/injections?stream=s"
is "$(of '[.items[] | "\(.version)\(.state)"] | length')" 3 "what was injected is listed"
call GET "$v/injections?stream=s&page_size=2"
first=$(of '[.items[].path] | join(" ")')
call GET "$v/injections?stream=s&page_size=2&cursor=$(of .next)"
is "$first / $(of '[.items[] | .path, .version] | join(" ")') $(of .next)" \
	"$T/in/c $T/in/a b.txt / $T/in/a b.txt 1 null" "page by page, newest first"

is "$(get "$v/injections?state=finished&page_size=2" | jq '.items | length')" 2 "or by state"
is "$(get "$v/injections?state=failed,live" | jq -c '[.items, .next]')" "[[],null]" \
	"in which there may be none"
call GET "$v/injections?state=lively"
is "$status" 400 "if there is such a state"

before=$(get "$v/datasets?page_size=1000" | jq '.items | length')
refuse "neither workflow nor job" 400 '*workflow*job*' "$T/in/d" 1 '"site":""'
refuse "an unknown dag" 404 '*"e"*' "$T/in/d" 1 '"workflow":{"dag":"e"}'
refuse "an unknown edge" 400 '*x:y*' "$T/in/d" 1 '"edges":["x:y"],'"$flow"
refuse "a relative path" 400 '*path*' "in/d" 1 "$flow"
refuse "a job's wrong key" 400 '*prio*' "$T/in/d" 1 '"job":{"shell":"true","prio":1}'
is "$(get "$v/datasets?page_size=1000" | jq '.items | length')" "$before" "what is refused leaves nothing"

# Two tell the same file at the same moment.
for i in 1 2 3 4 5 6; do
	(
		T=$T/q$i
		mkdir "$T"
		inject /in/same 1 '"workflow":{"dag":"d","state":"held"}'
		echo "$status $(of .workflow)" >"$T/is"
	) &
done
wait_until 20 eval '[ "$(cat "$T"/q?/is 2>/dev/null | wc -l)" = 6 ]'
is "$(cat "$T"/q?/is | sort | uniq -c | awk '{print $1, $2}' | tr '\n' ' ')" "5 200 1 201 " \
	"one of six at once makes it"
is "$(cat "$T"/q?/is | awk '{print $2}' | sort -u | wc -l)" 1 "and all hear of the same"
finish
