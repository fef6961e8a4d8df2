#!/bin/sh
# What is wrong with a document, a dag or its overrides is said with the names
# that are wrong, by the server as by the command, and nothing is stored.
. "${0%/*}/lib.sh"
. "$here/lib-workflows.sh"

start_server
call PUT $v/datatypes/TXT '{"ext":".txt"}'
call PUT $v/dags/d '{"jobs":{"src":{"noop":true},"a":{"shell":"true"},"b":{"shell":"true"}},
	"datasets":[{"from":"src","to":"a","tag":"IN","name":"i","directory":"/d"},
	{"from":"a","to":"b","tag":"X","name":"x","directory":"/d"},
	{"from":"a","to":"b","tag":"Y","name":"y","directory":"/d"}]}'

call PUT $v/dags/t '{"jobs":{"a":{"shell":"true"},"b":{"shell":"true"}},
	"datasets":[{"from":"a","to":"b","tag":"X","name":"x","directory":"/d","datatype":"PNG"}]}'

# wrong CLAIM GLOB DOCUMENT
wrong()
{
	refuse "$1" 400 "$2" POST $v/workflows "$3"
	printf '%s\n' "$3" >"$T/w.json"
	exits 1 "$1, by the command" sortie workflow create "$T/w.json"
	like "$said" "*w.json: $2" "with the file"
}
wrong "a circle" '*a → b → c → a' \
	'{"jobs":{"a":{"shell":"","after":["c"]},"b":{"shell":"","after":["a"]},"c":{"shell":"","after":["b"]},"d":{"shell":"","after":["c"]}}}'
wrong "a job after one that is not there" '*"a"*"nobody"*' \
	'{"jobs":{"a":{"shell":"true","after":["nobody"]}}}'
wrong "an edge to one that is not there" '*"nobody"*' \
	'{"jobs":{"a":{"shell":"true"}},"datasets":[{"from":"a","to":"nobody","tag":"X","name":"x"}]}'
wrong "an unknown key of the document" '*"job"*"jobs"*' '{"job":{"a":{"shell":"true"}},"jobs":{}}'
wrong "an unknown key of a job" '*"a"*"afterr"*"after"*' '{"jobs":{"a":{"shell":"true","afterr":[]}}}'
wrong "a name twice" '*"a"*' '{"jobs":[{"name":"a","shell":"true"},{"name":"a","shell":"true"}]}'
wrong "a condition that is none" '*"b"*failure*"failed"*' \
	'{"jobs":{"a":{"shell":"true"},"b":{"shell":"true","after":[{"job":"a","on":"failed"}]}}}'
printf '{"jobs": {"b": {"shell": "true"},\n"a": {"shell": "true", "timelimit": "soon"}}}' >"$T/v.json"
for verb in "dag add" "workflow create"; do
	exits 1 "a value that is none: $verb" sortie $verb "$T/v.json"
	like "$said" '*v.json: line 2: job "a": *timelimit*soon*' "with line and name"
done
wrong "a matrix that is no list" '*"a"*matrix*list*' '{"jobs":{"a":{"shell":"true","matrix":{"X":"1"}}}}'

refuse "a node with nothing to run" 400 '*"a"*payload*' POST $v/workflows '{"jobs":{"a":{"after":[]}}}'
refuse "an unknown datatype" 400 '*"PNG"*' POST $v/workflows \
	'{"jobs":{"a":{"shell":"true"},"b":{"shell":"true"}},"datasets":[{"from":"a","to":"b","tag":"X","name":"x","directory":"/d","datatype":"PNG"}]}'
refuse "a path that no index holds" 400 '*"a:b"*2000*' POST $v/workflows \
	"{\"jobs\":{\"a\":{\"shell\":\"true\"},\"b\":{\"shell\":\"true\"}},\"datasets\":[{\"from\":\"a\",\"to\":\"b\",\"tag\":\"X\",\"name\":\"x\",\"directory\":\"/$(printf %03000d 0)\"}]}"
refuse "a number that is none" 400 '*"a"*timelimit*' POST $v/workflows '{"jobs":{"a":{"shell":"true","timelimit":"soon"}}}'
refuse "in a dag, too" 400 'dag "t"*"a:b"*"PNG"*' POST $v/workflows '{"dag":"t"}'
refuse "a tag that is no variable" 400 '*"a:b"*"MY TAG"*' POST $v/workflows \
	'{"jobs":{"a":{"shell":"true"},"b":{"shell":"true"}},"datasets":[{"from":"a","to":"b","tag":"MY TAG","name":"x","directory":"/d"}]}'
refuse "of a job's own file, too" 400 '*"a"*inputs*"1X"*' POST $v/workflows '{"jobs":{"a":{"shell":"true","inputs":[{"path":"/x","tag":"1X"}]}}}'
refuse "fileinfo for an edge that is not there" 400 '*"b:a"*' POST $v/workflows '{"dag":"d","fileinfo":{"b:a":{"name":"x"}}}'
refuse "one name for two edges" 400 '*"a:b"*"FROM:TO:TAG"*' POST $v/workflows '{"dag":"d","fileinfo":{"a:b":{"name":"x"}}}'
refuse "jobinfo for a node that is not there" 400 '*"z"*' POST $v/workflows '{"dag":"d","jobinfo":{"z":{"payload":"true"}}}'
refuse "names that are none" 400 '*uuid*"mine"*' POST $v/workflows '{"dag":"d","names":"mine"}'
refuse "a callback that is no address" 400 '*callback*' POST $v/workflows '{"dag":"d","callback":"mailto:x"}'

echo "20 105" >"$T/run.txt"
exits 1 "a file that is no document" sortie dag add "$T/run.txt"
like "$said" '*run.txt: it begins neither*JSON*GraphML*' "is told from one with a slip"

# GraphML, with line and name
graphml()
{
	printf '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="e" for="node" attr.name="env" attr.type="string"/>
<graph edgedefault="directed">
<node id="a"/>
%s
</graph>
</graphml>\n' "$1" >"$T/g.graphml"
	exits 1 "GraphML: $2" sortie dag add "$T/g.graphml"
	like "$said" "*g.graphml: $3" "with line and name"
}
graphml '<edge source="a" target="b"/>' "an edge to an unknown node" 'line 5: *"b"*'
graphml '<node id="b"><data key="e">{X=1}</data></node>' "an env that is not JSON" 'line 5: *env*"b"*'
graphml '<node id="b"/><edge source="a" target="b"/><edge source="b" target="a"/>' \
	"a circle" 'line 5: *a → b → a'
graphml '<node id="b"><data key="none">x</data></node>' "a key that is not declared" 'line 5: *"none"*'

jq -nc '{jobs: ([range(100001) | {key: "n\(.)", value: {noop: true}}] | from_entries)}' >"$T/large.json"
exits 1 "more than 100,000 jobs" sortie workflow create "$T/large.json"
like "$said" "*100000*open workflow*" "are told what to do"
is "$(get $v/workflows | jq -c .items)" "[]" "nothing is stored of all that"
is "$(get $v/jobs | jq -c .items)" "[]" "no job either"
finish
