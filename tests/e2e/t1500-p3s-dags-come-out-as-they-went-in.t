#!/bin/sh
# Every dag of p3s is stored and comes out with all its nodes, edges, keys and
# attributes, as GraphML, and as JSON that says the same.
. "${0%/*}/lib.sh"
. "$here/lib-p3s.sh"
. "$here/lib-workflows.sh"
command -v python3 >/dev/null || skip_all "there is no python3"

start_server
n=0
for file in $(find "$p3s" -name '*.graphml' | LC_ALL=C sort); do
	n=$((n + 1))
	name=$(basename "$file" .graphml)
	exits 0 "$name is stored" sortie dag add "$file"
	python3 "$here/graphml.py" "$file" >"$T/want"
	sortie dag get "$name" >"$T/out.graphml"
	python3 "$here/graphml.py" "$T/out.graphml" >"$T/got"
	is "$(diff "$T/want" "$T/got")" "" "$name comes out as GraphML"
	sortie dag get "$name" --format json >"$T/out.json"
	is "$(jq -r '.jobs | if type == "array" then .[].name else keys_unsorted[] end' "$T/out.json" | sort)" \
		"$(sed -n 's/^\["node", "\([^"]*\)".*/\1/p' "$T/want" | sort)" \
		"and as JSON with its nodes"
	sortie dag add --name "$name.json" "$T/out.json" >"$T/said" 2>&1
	sortie dag get "$name.json" --format graphml >"$T/out.graphml"
	python3 "$here/graphml.py" "$T/out.graphml" >"$T/got"
	is "$(diff "$T/want" "$T/got")" "" "which is the same dag"
	exits 0 "$name is drawn" sortie dag show "$name"
	for node in $(sed -n 's/^\["node", "\([^"]*\)".*/\1/p' "$T/want"); do
		case $said in
		*"$node"*) ;;
		*) fail "with each node" "no $node in: $said" ;;
		esac
	done
	like "$(sortie dag get "$name" --format dot)" "digraph*" "also for Graphviz"
	like "$(sortie dag get "$name" --format svg)" "*<svg*</svg>*" "and a browser"
done
[ $n -ge 7 ] || fail "there are dags to try" "only $n"
is "$(get "$v/dags?page_size=1000" | jq '.items | length')" $((2 * n)) "all are listed"

sortie dag add "$p3s/1filter/1filter.graphml" >"$T/said" 2>&1
is "$(get $v/dags | jq -r '.items[] | select(.name == "1filter") | .versions')" 1 \
	"the same again is no new version"
exits 0 "a datatype that is missing is warned of" \
	sortie dag add --name warned "$p3s/1filter/1filter.graphml"
like "$said" '*"TXT"*' "by name"
call POST $v/workflows '{"dag":"1filter"}'
is "$status" 400 "and refuses a workflow"
like "$(of .error.message)" '*"TXT"*' "by the same name"
finish
