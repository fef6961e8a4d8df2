#!/bin/sh
# Workflows: conditions, joins, noops, states, counters.
. "${0%/*}/session.sh"
start_world
run_psql -d t -f "$top/tests/db/flow.sql" >/dev/null
pilot 1 true near 1000 1000 >/dev/null
# One session, because plans are made once in it.
open_session a
q() { say a "$1"; }

# make HEADER NODES EDGES: the workflow's number.
make() { q "SELECT f.make('$1', '$2', '$3') ->> 'number'"; }
run() { q "SELECT f.run($1, '$2')" >/dev/null; }
states() { q "SELECT f.states($1)"; }
state() { q "SELECT f.state($1)"; }
of() { q "SELECT f.number($1, '$2')"; }
# act NAME WORKFLOW [MORE]: code and message.
act() { stmt "workflow_$1" "0, NULL, '{}', $2${3-}" | cut -d'|' -f1,2; }

w=$(make '{}' 'a b c d' 'a>b a>c b>d c>d')
is "$(states "$w")" "a:ready b:after c:after d:after" "only roots get into line"
audit_clean "of a new workflow"
like "$(q "SELECT sortie.explain_1($(of "$w" d), NULL, NULL) ->> 'first'")" \
	"it waits for 2 of 2 jobs: $(of "$w" b) (waiting), $(of "$w" c) (waiting)" \
	"explain names what a job waits for"
run "$w" a
is "$(states "$w")" "a:finished b:ready c:ready d:after" \
	"an end releases its children"
run "$w" b
is "$(states "$w")" "a:finished b:finished c:ready d:after" \
	"a join waits for all"
like "$(q "SELECT sortie.explain_1($(of "$w" d), NULL, NULL) ->> 'first'")" \
	"it waits for 1 of 2 jobs: *" "explain counts what is left"
run "$w" c
is "$(states "$w")" "a:finished b:finished c:finished d:ready" \
	"and starts after the last"
is "$(state "$w")" "running 3/4 0" "the workflow runs"
run "$w" d
is "$(state "$w")" "finished 4/4 0" "it has finished with its last job"
audit_clean "of a finished workflow"

w=$(make '{}' 'a b c' 'a>c b>c')
is "$(q "SELECT f.run($w, 'a b')")" "EE" "both parents in one report"
is "$(states "$w")" "a:finished b:finished c:ready" "release a join once"
run "$w" c

# Conditions.
w=$(make '{}' 'a s f x ss' 'a>s a>f:f a>x:a s>ss')
run "$w" a:failed
is "$(states "$w")" "a:failed f:ready s:skipped ss:skipped x:ready" \
	"a failure releases failure and always, skips success and below"
is "$(q "SELECT reason FROM sortie.ended WHERE number = $(of "$w" s)")" \
	'after "a": it failed' "the reason names the parent"
is "$(q "SELECT reason FROM sortie.ended WHERE number = $(of "$w" ss)")" \
	'after "s": it was skipped' "also of a skipped one"
run "$w" "f x"
is "$(state "$w")" "failed 5/5 1" "the workflow has failed"
w=$(make '{}' 'a:allow s f:any x' 'a>s:a a>f:f s>f:s f>x:f')
run "$w" a:timelimit
is "$(states "$w")" "a:timelimit f:ready s:ready x:after" \
	"any: the first condition that is met is enough"
run "$w" "s f"
is "$(state "$w")" "finished 4/4 0" "what may fail does not make it failed"
w=$(make '{}' 'a b c:any' 'a>c:f b>c:f')
run "$w" a
is "$(states "$w")" "a:finished b:ready c:after" "any waits while one may come"
run "$w" b
is "$(states "$w")" "a:finished b:finished c:skipped" "and is skipped when none can"
is "$(state "$w")" "finished 3/3 0" "skipped is not bad"
audit_clean "after conditions"

# Noops.
w=$(make '{}' 'n:noop m:noop a z:noop' 'n>m m>a a>z')
is "$(states "$w")" "a:ready m:finished n:finished z:after" \
	"noops finish at once and pass readiness on"
run "$w" a
is "$(state "$w")" "finished 4/4 0" "up to the end"
w=$(make '{}' 'n:noop' '')
is "$(state "$w")" "finished 1/1 0" "a workflow of noops ends when it is made"
audit_clean "with noops"

# Held, started, cancelled.
w=$(make '{"state":"held"}' 'a n:noop b' 'a>b n>b')
is "$(states "$w")" "a:after b:after n:after" "nothing of a held workflow runs"
like "$(q "SELECT sortie.explain_1($(of "$w" a), NULL, NULL) ->> 'first'")" \
	"its workflow $w is held:*" "explain says so"
audit_clean "of a held workflow"
is "$(act start "$w")" "|" "it is started"
is "$(states "$w")" "a:ready b:after n:finished" "then its roots run"
is "$(act start "$w")" "conflict|workflow $w is running already" "once"
q "SELECT f.run($w, 'b')" >/dev/null
is "$(act cancel "$w")" "|" "it is cancelled"
is "$(q "SELECT n, more, cardinality(pilots) FROM sortie.workflow_cancel_step_1(0, 100)")" \
	"3|f|1" "a step asks all jobs"
is "$(states "$w")" "a:ready b:cancelled n:finished" "what waits ends at once"
run "$w" a:cancelled
is "$(state "$w")" "cancelled 3/3 2" "the last run ends it"
audit_clean "of a cancelled workflow"
is "$(act retry "$w")" "|" "it is tried again"
is "$(states "$w")" "a:ready b:after n:finished" \
	"jobs wait again for what is tried again"
run "$w" a; run "$w" b
is "$(state "$w")" "finished 3/3 0" "and may finish"
is "$(act retry "$w")" "conflict|workflow $w is finished: no job of it ended badly" \
	"then there is nothing to retry"
is "$(act cancel "$w")" "conflict|workflow $w has ended (finished)" "or to cancel"
audit_clean "after a retry"

# Retry.
w=$(make '{}' 'a b c d e' 'a>b b>c a>d:f b>e:a')
run "$w" a; run "$w" b:failed
is "$(states "$w")" "a:finished b:failed c:skipped d:skipped e:ready" "a failure"
run "$w" e
is "$(state "$w")" "failed 5/5 1" "ends it"
is "$(stmt job_retry "0, NULL, '{}', '{$(of "$w" b)}', false")" \
	"$(of "$w" b)||||" "one job is tried again"
is "$(states "$w")" "a:finished b:ready c:after d:skipped e:finished" \
	"with what was skipped because of it, and nothing else"
is "$(state "$w")" "running 3/5 0" "the workflow runs again"
audit_clean "while it does"
run "$w" b; run "$w" c
is "$(state "$w")" "finished 5/5 0" "and finishes"
w=$(make '{}' 'a b c' 'a>c b>c')
run "$w" "a:failed b:failed"
stmt job_retry "0, NULL, '{}', '{$(of "$w" a)}', false" >/dev/null
is "$(states "$w")" "a:ready b:failed c:skipped" \
	"what another failure skipped stays skipped"
audit_clean "then"
run "$w" a

# on_failure.
w=$(make '{"on_failure":"cancel"}' 'a b c x' 'c>x')
run "$w" a:failed
is "$(q "SELECT cancelling, cancel_reason FROM sortie.workflow WHERE workflow = $w")" \
	"failure|the workflow's job \"a\" failed" "the first failure cancels the rest"
q "SELECT n FROM sortie.workflow_cancel_step_1(0, 100)" >/dev/null
run "$w" "b:cancelled c:cancelled"
is "$(states "$w")" "a:failed b:cancelled c:cancelled x:cancelled" "all of it"
is "$(state "$w")" "failed 4/4 4" "and the workflow has failed"
audit_clean "after it"

# max_running.
w=$(make '{"max_running":2}' 'a b c d' 'a>d')
is "$(states "$w")" "a:ready b:ready c:share d:after" "a maximum is kept"
like "$(q "SELECT sortie.explain_1($(of "$w" c), NULL, NULL) ->> 'first'")" \
	"its workflow $w has its maximum of 2 jobs*" "explain says so"
audit_clean "behind a gate"
run "$w" a
is "$(states "$w")" "a:finished b:ready c:ready d:share" "in order"
stmt job_hold "0, NULL, '{}', '{$(of "$w" d)}'" >/dev/null
run "$w" b
is "$(states "$w")" "a:finished b:finished c:ready d:held" "not a held one"
is "$(act adjust "$w" ", '{\"max_running\":1}'")" "|" "the maximum changes"
stmt job_release "0, NULL, '{}', '{$(of "$w" d)}'" >/dev/null
is "$(states "$w")" "a:finished b:finished c:ready d:share" "a released one waits"
audit_clean "behind a smaller gate"
is "$(act adjust "$w" ", '{\"max_running\":null}'")" "|" "the maximum goes"
is "$(states "$w")" "a:finished b:finished c:ready d:ready" "and so does the gate"
audit_clean "without the gate"
run "$w" "c d"

# Single jobs.
w=$(make '{}' 'a b:held c' 'a>b b>c')
stmt job_release "0, NULL, '{}', '{$(of "$w" b)}'" >/dev/null
is "$(states "$w")" "a:ready b:after c:after" "a released job waits for its parents"
stmt job_hold "0, NULL, '{}', '{$(of "$w" c)}'" >/dev/null
run "$w" a; run "$w" b
is "$(states "$w")" "a:finished b:finished c:held" "a held one is not released"
stmt job_release "0, NULL, '{}', '{$(of "$w" c)}'" >/dev/null
is "$(states "$w")" "a:finished b:finished c:ready" "but by hand"
audit_clean "after hold and release"
is "$(stmt job_delete "0, NULL, '{}', '{$(of "$w" a)}'")" \
	"$(of "$w" a)|conflict|job $(of "$w" a) belongs to workflow $w: it goes with that||" \
	"no job of a workflow is deleted alone"
w=$(make '{}' 'a b c' 'a>b a>c:a')
stmt job_cancel "0, NULL, '{}', '{$(of "$w" a)}', false" >/dev/null
run "$w" a:cancelled
is "$(states "$w")" "a:cancelled b:skipped c:ready" "a cancelled job is no success"
run "$w" c

# Not before.
w=$(q "SELECT f.make('{}', 'a b', 'a>b', NULL, NULL, now() + interval '1 hour') ->> 'number'")
is "$(states "$w")" "a:time b:after" "a root waits for its time"
q "UPDATE sortie.waiting SET due = now() WHERE number = $(of "$w" a);
SELECT sortie.due_1(0, 100)" >/dev/null
run "$w" a
is "$(states "$w")" "a:finished b:time" "others after their conditions"
audit_clean "with times"
w=$(q "SELECT f.make('{\"max_running\":1}', 'a b', '', NULL, NULL, now() + interval '1 hour') ->> 'number'")
q "UPDATE sortie.waiting SET due = now() WHERE why = 'time';
SELECT sortie.due_1(0, 100)" >/dev/null
is "$(states "$w")" "a:ready b:share" "whose time has come goes through the gate"
audit_clean "then"
run "$w" a; run "$w" b

# Open ones.
w=$(make '{"open":true}' 'a' '')
run "$w" a
is "$(state "$w")" "running 1/1 0" "an open workflow stays"
is "$(q "SELECT f.make('{}', 'b c', 'a>b b>c', $w) ->> 'jobs'")" 3 "jobs are added"
is "$(states "$w")" "a:finished b:ready c:after" "after one that has ended"
like "$(q "SELECT f.make('{}', 'c', '', $w)")" '*has a job "c" already*' \
	"names are unique"
like "$(q "SELECT f.make('{}', 'd', 'zz>d', $w)")" '*job "d" comes after the job "zz", which*' \
	"parents are known"
is "$(act close "$w")" "|" "it is closed"
like "$(q "SELECT f.make('{}', 'd', '', $w)")" '*is not open*' "nothing comes any more"
run "$w" b; run "$w" c
is "$(state "$w")" "finished 3/3 0" "and it ends"
w=$(make '{"open":true,"close_auto":true}' 'a' '')
run "$w" a
is "$(state "$w")" "finished 1/1 0" "one that closes itself ends with its last job"
w=$(make '{"open":true}' 'a' '')
run "$w" a:failed
q "SELECT f.make('{}', 'b c', 'a>b a>c:f', $w)" >/dev/null
is "$(states "$w")" "a:failed b:skipped c:ready" "what comes late is told at once"
audit_clean "with open workflows"
act close "$w" >/dev/null
run "$w" c
is "$(q "SELECT count(*) FROM sortie.event WHERE kind = 'workflow ended'
	AND detail ->> 'workflow' = '$w'")" 1 "an end is told once"

# A repeated request.
is "$(q "SELECT (f.make('{}', 'a', '', NULL, 'k') ->> 'number')::int
	- (f.make('{}', 'a', '', NULL, 'k') ->> 'number')::int")" 0 \
	"an Idempotency-Key makes one workflow"

# Datasets.
w=$(q "SELECT f.make('{}', 'a b n:noop', 'a>b n>b', NULL, NULL, NULL,
	'a>/x b</x n>/e b</e b>/y') ->> 'number'")
sets() { q "SELECT string_agg(path || ' v' || version || ' ' || state, ',' ORDER BY path, version)
	FROM sortie.dataset WHERE workflow = $1"; }
is "$(sets "$w")" "/e v1 declared,/x v1 declared,/y v1 declared" "edges are datasets"
like "$(q "SELECT f.make('{}', 'q', '', NULL, NULL, NULL, 'q>/x')")" \
	'*the path "/x" is being made by job*' "nobody else makes a path now"
run "$w" a
is "$(sets "$w")" "/e v1 declared,/x v1 ready,/y v1 declared" "an end makes them ready"
run "$w" b:failed
is "$(sets "$w")" "/e v1 declared,/x v1 ready,/y v1 missing" "a bad one missing"
act retry "$w" >/dev/null
is "$(sets "$w")" "/e v1 declared,/x v1 ready,/y v1 declared" "until it is tried again"
run "$w" b
u=$(q "SELECT f.make('{}', 'q r', '', NULL, NULL, NULL, 'q>/x r</e') ->> 'number'")
is "$(sets "$u")" "/x v2 declared" "later a path has a new version"
audit_clean "with datasets"
run "$u" "q r"

# Big ones, and what is left to a duty.
w=$(q "SELECT f.make('{}', (SELECT 's ' || string_agg('n' || i || ':noop', ' ') || ' z'
	FROM generate_series(1, 1000) i), (SELECT 's>n1 ' || string_agg('n' || i || '>n'
	|| i + 1, ' ') || ' n1000>z' FROM generate_series(1, 999) i)) ->> 'number'")
is "$(q "SELECT f.run($w, 's')")" Ef "a long chain is begun"
audit_clean "while it is gone through"
while [ "$(q "SELECT more FROM sortie.graph_firing_1(0, 1000)")" = t ]; do :; done
is "$(q "SELECT sortie.job_state_1(f.number($w, 'z'))")" defined \
	"a chain of 1,000 noops passes readiness on"
run "$w" z
w=$(q "SELECT f.make('{}', (SELECT 's ' || string_agg('n' || i || ':noop', ' ') || ' z'
	FROM generate_series(1, 10000) i), (SELECT string_agg('s>n' || i || ' n' || i
	|| '>z', ' ') FROM generate_series(1, 10000) i)) ->> 'number'")
run "$w" s
audit_clean "in the middle of a fan-out"
# As migration 0027 finds it when half the edges were told, in any order.
{
	echo "BEGIN; ALTER TABLE sortie.edge ADD fired bool;
UPDATE sortie.edge d SET fired = CASE WHEN f.number IS NULL THEN x.met
	WHEN d.child % 2 = 0 THEN true END
FROM sortie.edges_1() AS x LEFT JOIN sortie.firing f ON f.number = x.parent
WHERE (x.parent, x.child, x.cond) = (d.parent, d.child, d.cond);
DROP INDEX sortie.firing_number; ALTER TABLE sortie.firing DROP child;
SET check_function_bodies = off;"
	cat "$top"/sql/schema/0027_*.sql "$top"/sql/function/*.sql
	echo "COMMIT;"
} | run_psql -d t -f - >"$T/again" 2>&1 || fail "the migration" "$(cat "$T/again")"
audit_clean "after an upgrade in the middle of it"
while [ "$(q "SELECT more FROM sortie.graph_firing_1(0, 1000)")" = t ]; do :; done
is "$(q "SELECT sortie.job_state_1(f.number($w, 'z'))")" defined \
	"a fan-out and fan-in of 10,000"
run "$w" z
is "$(state "$w")" "finished 10002/10002 0" "ends"
audit_clean "after it"

# They go whole.
is "$(act delete "$w" ", false")" "|" "an ended workflow is deleted"
while [ "$(q "SELECT more FROM sortie.workflow_forget_1(0, 4000, 0)")" = t ]; do
	audit_clean "while it goes"
done
is "$(q "SELECT count(*) FROM sortie.node WHERE workflow = $w")" 0 "with all its jobs"
is "$(act delete "$w" ", false")" "not_found|there is no workflow $w" "and is gone"
w=$(make '{}' 'a b' 'a>b')
is "$(act delete "$w" ", false")" \
	"conflict|workflow $w is running: cancel it first, or delete it with --cancel" \
	"a running one is not"
is "$(act delete "$w" ", true")" "|" "or is cancelled first"
q "SELECT n FROM sortie.workflow_cancel_step_1(0, 100);
SELECT n FROM sortie.workflow_forget_1(0, 100, 0)" >/dev/null
is "$(q "SELECT count(*) FROM sortie.workflow WHERE workflow = $w")" 0 "then it goes"
audit_clean "at last"

# Views.
w=$(make '{"name":"w","dag":"d"}' 'a b' 'a>b')
like "$(stmt workflow_show "NULL, '{}', $w")" '*"states":{"waiting":1,"defined":1}*' \
	"show counts by state"
is "$(stmt workflow_show "2, '{}', $w")" "" "others do not see it"
like "$(stmt workflow_list "1, '{}', NULL, 10, 'running', 'W', 'd', NULL, 'default', NULL, NULL, ','")" \
	"*\"number\":$w*" "list finds it"
like "$(stmt workflow_jobs "NULL, '{}', $w, 0, 1, NULL, ','")" "*\"name\":\"a\"*|$(of "$w" a)" \
	"jobs come in pages"
like "$(stmt workflow_graph "NULL, '{}', $w")" \
	'*"from":"a","to":"b","on":"success"*' "the graph has edges"
like "$(stmt job_list "NULL, '{}', NULL, 5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ',', $w")" \
	"*\"node\":\"b\"*\"waits_for\":*\"name\":\"a\"*" "jobs tell workflow and parents"
finish
