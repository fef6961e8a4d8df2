#!/bin/sh
# Every route of the server stands in openapi.json, and real answers are as it
# describes them.
. "${0%/*}/lib.sh"

start_server
call GET /openapi.json
is "$status" 200 "the description is served"
cp "$T/answer" "$T/openapi.json"
like "$(of .openapi)" "3.0.*" "as OpenAPI 3.0"
sortied --print-routes | awk '{ print $1, $2 }' |
	sed -E 's/\{[^}]*\}|<[^>]*>|:[a-z_]+/{}/g' | sort -u >"$T/routes"
jq -r '.paths | to_entries[] | .key as $p | .value | keys[] |
	select(test("^(get|put|post|delete|head|patch)$")) |
	"\(ascii_upcase) \($p)"' "$T/openapi.json" |
	sed -E 's/\{[^}]*\}/{}/g' | sort -u >"$T/described"
[ "$(wc -l <"$T/routes")" -ge 30 ] && pass "the server prints its routes" ||
	fail "the server prints its routes" "$(cat "$T/routes")"
is "$(comm -23 "$T/routes" "$T/described")" "" "each is described"
is "$(comm -13 "$T/routes" "$T/described")" "" "and nothing else is"

python=/usr/bin/python3
if ! $python -c 'import jsonschema' 2>/dev/null; then
	skip "answers validate" "python3-jsonschema is not installed"
	finish
fi
start_pilot --slots 2 --site home --pools a --labels x=y
submit '[{"name":"a","shell":"echo hi; echo meta: a=1","tags":["t"]},{"argv":["false"],"key":"k"},{"argv":["true"],"site":"far"},{"argv":["sleep","1000"]}]'
cp "$T/answer" "$T/posted"
sortie limit set maya 2 >/dev/null
sortie jobtype set sim 2 >/dev/null
sortie site define '{"name":"home","env":{"A":"b"}}' >/dev/null
sortie project set lab --max-running 3 >/dev/null
within 10 "there is something to ask for" eval 'job_is 1 finished && job_is 2 failed && job_is 4 running'
: >"$T/cases"
# answered METHOD PATH TEMPLATE [BODY]
answered()
{
	call "$1" "$2" "${4-}"
	cp "$T/answer" "$T/case.$(wc -l <"$T/cases")"
	printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$3" "$status" \
		"$T/case.$(wc -l <"$T/cases")" "$2" >>"$T/cases"
}
v=/api/v1
answered GET /healthz /healthz
answered GET /readyz /readyz
answered GET $v/jobs $v/jobs
answered GET "$v/jobs?state=live" $v/jobs
for n in 1 2 3 4; do
	answered GET $v/jobs/$n "$v/jobs/{ref}"
done
answered GET $v/jobs/99 "$v/jobs/{ref}"
answered GET "$v/jobs/counts?jobs=1-4" $v/jobs/counts
answered GET $v/jobs/3/explain "$v/jobs/{ref}/explain"
answered GET $v/jobs/1/explain "$v/jobs/{ref}/explain"
answered POST $v/jobs $v/jobs '{"argv":["true"],"site":"far"}'
answered POST $v/jobs $v/jobs '{"argv":"true"}'
answered POST $v/jobs/actions $v/jobs/actions '{"action":"cancel","jobs":"1,4,99"}'
answered POST $v/submissions $v/submissions '{}'
id=$(of .id)
answered PUT "$v/submissions/$id/parts/1" "$v/submissions/{id}/parts/{n}" '[{"argv":["true"],"site":"far"}]'
answered POST "$v/submissions/$id/commit" "$v/submissions/{id}/commit" '{"parts":1}'
answered GET $v/pilots $v/pilots
answered GET $v/pilots/1 "$v/pilots/{ref}"
answered POST $v/pilots/actions $v/pilots/actions '{"action":"drain","pilots":"77"}'
answered GET $v/sites $v/sites
answered GET $v/sites/home "$v/sites/{name}"
answered GET $v/jobtypes $v/jobtypes
answered GET $v/limits $v/limits
answered GET $v/projects $v/projects
answered PUT "$v/owners/*" "$v/owners/{name}" '{"max_rate":1000}'
answered GET $v/owners $v/owners
answered GET $v/tokens $v/tokens
answered POST $v/tokens $v/tokens '{"name":"n","role":"reader","owner":"me"}'
answered GET $v/whoami $v/whoami
answered GET $v/summary $v/summary
answered GET $v/events $v/events
answered POST $v/events $v/events '{"name":"beam","text":"is back"}'
answered PUT $v/datatypes/TXT "$v/datatypes/{name}" '{"ext":".txt"}'
answered GET $v/datatypes $v/datatypes
answered POST $v/datasets $v/datasets '{"path":"/d/a","datatype":"TXT","size":1}'
answered POST $v/datasets $v/datasets '[{"path":"/d/a"},{"path":"/d/b"}]'
answered GET $v/datasets $v/datasets
answered GET $v/datasets/1 "$v/datasets/{ref}"
answered PATCH $v/datasets/2 "$v/datasets/{ref}" '{"comment":"c"}'
answered DELETE $v/datasets/2 "$v/datasets/{ref}"
answered POST $v/purge $v/purge '{"older_s":86400}'
answered PUT $v/dags/d "$v/dags/{name}" '{"jobs":{"a":{"argv":["true"]},"b":{"argv":["false"],"after":["a"]},"n":{"noop":true}},"datasets":[{"from":"n","to":"a","datatype":"NEW","name":"x","directory":"/d"}]}'
answered PUT $v/dags/d "$v/dags/{name}" '{"jobs":{"a":{"argv":["true"]},"b":{"argv":["false"],"after":["a"]},"n":{"noop":true}},"datasets":[{"from":"n","to":"a","tag":"X","name":"x","directory":"/d"},{"from":"a","to":"b","name":"y","directory":"/d"}]}'
answered GET $v/dags $v/dags
answered GET $v/dags/d "$v/dags/{name}"
answered POST $v/workflows $v/workflows '{"dag":"d","open":true}'
answered POST $v/workflows $v/workflows '{"jobs":{"a":{"argv":["true"],"site":"far"}},"state":"held"}'
answered POST $v/workflows $v/workflows '{"dag":"none"}'
answered GET $v/workflows $v/workflows
answered GET $v/workflows/1 "$v/workflows/{ref}"
answered GET $v/workflows/1/jobs "$v/workflows/{ref}/jobs"
answered GET $v/workflows/1/graph "$v/workflows/{ref}/graph"
answered POST $v/workflows/1/jobs "$v/workflows/{ref}/jobs" '{"jobs":{"c":{"argv":["true"],"after":["b"]}}}'
answered PATCH $v/workflows/1 "$v/workflows/{ref}" '{"max_running":3}'
answered POST $v/workflows/1/close "$v/workflows/{ref}/close"
answered POST $v/workflows/2/start "$v/workflows/{ref}/start"
answered POST $v/workflows/2/cancel "$v/workflows/{ref}/cancel"
answered POST $v/workflows/2/retry "$v/workflows/{ref}/retry"
answered GET "$v/jobs?workflow=2" $v/jobs
record='"stream":"s","path":"/in/a","size":1,"modified_at":"2026-11-22T07:00:00.000Z","seen_at":"2026-11-22T07:00:00.000Z","complete_at":"2026-11-22T07:00:00.000Z"'
answered POST $v/injections $v/injections "{$record,\"job\":{\"argv\":[\"true\"],\"site\":\"far\"}}"
answered POST $v/injections $v/injections "{$record,\"workflow\":{\"dag\":\"d\"}}"
answered GET $v/injections $v/injections
answered DELETE $v/workflows/99 "$v/workflows/{ref}"
answered DELETE $v/dags/d "$v/dags/{name}"
fake_pilot fake 1 '"site":"far"'
cp "$T/answer" "$T/case.join"
printf 'POST\t%s\t%s\t%s\t-\n' $v/pilots "$status" "$T/case.join" >>"$T/cases"
claim 1
cp "$T/answer" "$T/case.claim"
printf 'POST\t%s\t%s\t%s\t-\n' "$v/pilots/{id}/claim" "$status" "$T/case.claim" >>"$T/cases"
grant
end_run "$run" "$job"
cp "$T/answer" "$T/case.report"
printf 'POST\t%s\t%s\t%s\t-\n' "$v/pilots/{id}/report" "$status" "$T/case.report" >>"$T/cases"
if $python "$here/validate.py" "$T/openapi.json" "$T/cases" >"$T/said" 2>&1; then
	pass "$(wc -l <"$T/cases") answers validate"
else
	fail "$(wc -l <"$T/cases") answers validate" "$(cat "$T/said")"
fi
finish
