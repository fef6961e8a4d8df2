#!/bin/sh
# What people do to workflows that are there, as wholes and by single jobs.
. "${0%/*}/lib.sh"
. "$here/lib-workflows.sh"

start_server
start_pilot --slots 4 --cores 4
# Counters stay where they were counted: nobody else may fold them.
query "SELECT pg_advisory_lock(7007), pg_sleep(600)" >/dev/null 2>&1 &

# Retry: what failed, and what depends on it.
make "{\"jobs\":{
	\"good\":{\"shell\":\"echo good >>$T/ran\"},
	\"bad\":{\"shell\":\"echo bad >>$T/ran; test -e $T/mended\",\"after\":[\"good\"]},
	\"child\":{\"shell\":\"echo child >>$T/ran\",\"after\":[\"bad\"]},
	\"grandchild\":{\"shell\":\"echo grandchild >>$T/ran\",\"after\":[\"child\"]},
	\"mail\":{\"shell\":\"echo mail >>$T/ran\",\"after\":[{\"job\":\"bad\",\"on\":\"failure\"}]}}}"
ends "$flow" failed "a job fails" \
	"good:finished bad:failed child:skipped grandchild:skipped mail:finished"
: >"$T/mended"
exits 0 "the workflow is retried" sortie workflow retry "$flow"
ends "$flow" finished "what was skipped comes after it" \
	"good:finished bad:finished child:finished grandchild:finished mail:finished"
is "$(paste -sd' ' "$T/ran")" "good bad mail bad child grandchild" \
	"what had run is not run again"
is "$(field "$(node "$flow" bad)" .attempts)" 2 "the attempts are counted"
nok "one that has finished is not retried" sortie workflow retry "$flow"

# A single job
make "{\"jobs\":{\"a\":{\"shell\":\"test -e $T/single\"},\"b\":{\"shell\":\"true\",\"after\":[\"a\"]},
	\"c\":{\"shell\":\"exit 3\"},\"d\":{\"shell\":\"true\",\"after\":[\"c\"]}}}"
ends "$flow" failed "two jobs fail" "a:failed b:skipped c:failed d:skipped"
: >"$T/single"
exits 0 "one of them is retried" sortie job retry "$(node "$flow" a)"
ends "$flow" failed "and what comes after it runs, no more" "a:finished b:finished c:failed d:skipped"

# Hold and release of single jobs
make "{\"jobs\":{\"a\":{\"shell\":\"$(gate a)\"},\"b\":{\"shell\":\"true\",\"after\":[\"a\"]},
	\"c\":{\"shell\":\"true\",\"after\":[\"b\"]}}}"
b=$(node "$flow" b)
exits 0 "a job that waits for others is held" sortie job hold "$b"
within 20 "its parent runs" eval '[ "$(node "$flow" a .state)" = running ]'
go a
within 20 "its parent ends" eval '[ "$(node "$flow" a .state)" = finished ]'
throughout 1 "and it stays" eval '! node "$flow" b .state | grep -q finished'
exits 0 "it is released" sortie job release "$b"
ends "$flow" finished "and runs" "a:finished b:finished c:finished"

# Cancel
make '{"jobs":{"a":{"shell":"exec sleep 600"},"b":{"shell":"true","after":["a"]},
	"c":{"shell":"true","after":[{"job":"b","on":"always"}]}}}'
within 20 "a workflow runs" eval '[ "$(node "$flow" a .state)" = running ]'
exits 0 "it is cancelled" sortie workflow cancel "$flow"
ends "$flow" cancelled "with all its jobs" "a:cancelled b:cancelled c:cancelled"
exits 1 "a wait says so" sortie workflow wait "$flow"
exits 0 "and may be retried" sortie workflow retry "$flow"
within 20 "which runs it again" eval '[ "$(node "$flow" a .state)" = running ]'
exits 1 "it is not deleted while it runs" sortie workflow delete "$flow"
exits 0 "unless it is cancelled first" sortie workflow delete --cancel "$flow"
gone_is() { call GET $v/workflows/"$1"; [ "$status" = 404 ]; }
within 20 "then it goes" gone_is "$flow"

# Held
make '{"state":"held","jobs":{"a":{"shell":"true"},"b":{"shell":"true","after":["a"]}}}'
throughout 1 "a held workflow runs nothing" states_are "$flow" "a:waiting b:waiting"
call GET "$v/jobs/$(node "$flow" a)/explain"
like "$answer" "*workflow*held*" "and its jobs say why"
exits 0 "it is started" sortie workflow start "$flow"
ends "$flow" finished "and runs" "a:finished b:finished"

# A key of one's own
echo '{"jobs":{"a":{"shell":"true"}}}' >"$T/keyed.json"
first=$(sortie workflow create --key nightly -q "$T/keyed.json")
is "$(sortie workflow create --key nightly -q "$T/keyed.json")" "$first" \
	"with the same key nothing new is made"
like "$(sortie workflow create --key nightly "$T/keyed.json")" \
	"workflow $first with 1 job is there already" "and the command says so"

# Adjust
make '{"state":"held","name":"old","jobs":{"a":{"shell":"true"},"b":{"shell":"true","after":["a"]}}}'
exits 0 "it is adjusted" sortie workflow adjust --name new --description words \
	--priority 9 --max-running 1 --on-failure cancel "$flow"
is "$(get $v/workflows/"$flow" | jq -r '[.name, .description, .max_running, .on_failure] | join(" ")')" \
	"new words 1 cancel" "name, words, bound, rule"
is "$(field "$(node "$flow" a)" .priority) $(field "$(node "$flow" b)" .priority)" "9 9" \
	"and the priority of its jobs"
exits 0 "the bound is lifted" sortie workflow adjust --max-running none "$flow"
is "$(get $v/workflows/"$flow" | jq -r '.max_running // "none"')" none "again"
call PATCH "$v/workflows/$flow" '{"priority":8}'
changed=$(of .changed)
act "$flow" start
is "$changed $(of .changed) $(of .state)" "2 1 running" "what is done says how many jobs it is about"
ends "$flow" finished "it ends"
a=$(node "$flow" a)
nok "its jobs are not deleted alone" sortie job delete "$a"
exits 0 "it is deleted" sortie workflow delete "$flow"
within 20 "as a whole" gone_is "$flow"
job_is_gone()
{
	call GET "$v/jobs/$a"
	[ "$status" = 404 ]
}

within 20 "with its jobs" job_is_gone

# What jobs say about it
make '{"name":"asks","jobs":{"a":{"shell":"true","site":"nowhere"},"b":{"shell":"true","after":["a"]}}}'
call GET "$v/jobs/$(node "$flow" b)"
is "$(of '"\(.workflow.number) \(.workflow.name) \(.workflow.node) \(.waits_for[0].name)"')" \
	"$flow asks b a" "a job knows its workflow and for whom it waits"
like "$(sortie job explain "$(node "$flow" b)" 2>&1)" '*waits for*a*' "and explains it"
is "$(sortie job list --workflow "$flow" -q | wc -l)" 2 "jobs are listed by workflow"
like "$(sortie workflow list)" "*asks*running*" "workflows are listed"
is "$(sortie workflow list --since 1h -q | head -n 1)" "$flow" "those of the last hour"
call GET "$v/workflows?since_s=60&created_after=2026-01-01T00:00:00Z"
is "$status" 400 "a time is told once"
like "$(sortie workflow show "$flow")" "*asks*waits for 1 job*" "and shown"
like "$(sortie workflow graph "$flow")" "asks (workflow $flow)*a*b*" "and drawn"
like "$(sortie workflow graph --format svg "$flow")" "*<svg*" "for a browser, too"
exits 6 "a wait gives up" sortie workflow wait --timeout 1 "$flow"
exits 0 "and is cancelled" sortie workflow cancel "$flow"
ends "$flow" cancelled "at last" "a:cancelled b:cancelled"

# Several at once, as jobs are named
echo "{\"state\":\"held\",\"name\":\"many\",\"jobs\":{\"a\":{\"shell\":\"true\"},\"b\":{\"shell\":\"true\"}},
	\"datasets\":[{\"from\":\"a\",\"to\":\"b\",\"tag\":\"HIT\",\"directory\":\"$T\"}]}" >"$T/many.json"
for i in 1 2 3; do
	sortie workflow create -q --names uuid "$T/many.json"
done >"$T/made"
low=$(head -n 1 "$T/made") high=$(tail -n 1 "$T/made")
like "$(sortie workflow graph @last)" "many (workflow $high)*a \[HIT\]*" \
	"the last one is drawn with the file between its jobs"
is "$(sortie job list -q --workflow @last | sort)" "$(sortie workflow show -q "$high" | sort)" \
	"its jobs are listed"
exits 0 "a range is cancelled" sortie workflow cancel "$low-$high"
within 20 "all of it" eval \
	'[ "$(sortie workflow list -q -s cancelled --name many | wc -l)" = 3 ]'
exits 0 "one of them is deleted" sortie workflow delete $((low + 1))
within 20 "and goes" gone_is $((low + 1))
exits 0 "so is the whole range" sortie workflow delete "$low-$high"
like "$said" "*there is no workflow $((low + 1))*" "which says what was missing"
exits 5 "a range of nothing is not found" sortie workflow delete 9000-9002
like "$said" "*there are no workflows 9000-9002*" "as it says"
exits 2 "a range that runs backwards is wrong use" sortie workflow start 3-2
is "$(query "SELECT count(DISTINCT bucket % 16) FROM sortie.tally WHERE bucket % 16 IN (9, 12)")" 2 \
	"duties that cancel and forget count in buckets of their own"
finish
