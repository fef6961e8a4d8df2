#!/bin/sh
# What people, pilots and duties change in workflows besides running them: runs
# that come back, paths that are another's, retries and priorities in steps,
# retention, and who hears of what ended.
. "${0%/*}/session.sh"
start_world
run_psql -d t -f "$top/tests/db/flow.sql" >/dev/null
q "ALTER DATABASE t SET lock_timeout = '4s'" >/dev/null
pilot 1 true near 100 100 >/dev/null
open_session a
of() { q "SELECT f.number($1, '$2')"; }
states() { q "SELECT f.states($1)"; }
state() { q "SELECT f.state($1)"; }
# make HEADER NODES EDGES [PATHS [OWNER]]
make() { q "SELECT f.make('$1', '$2', '$3', NULL, NULL, NULL, '${4-}', ${5-1}) ->> 'number'"; }
run() { q "SELECT f.run($1, '$2')" >/dev/null; }
grant() { claim 1 "$(q "SELECT request + 1 FROM sortie.pilot_room")" 100 100 >/dev/null; }
rows() { q "SELECT string_agg(r.what::text, '' ORDER BY r.what) FROM $1 AS r WHERE r.what IS NOT NULL"; }
cancel_all()
{
	stmt workflow_cancel "0, NULL, '{}', $1" >/dev/null
	q "SELECT n FROM sortie.workflow_cancel_step_1(0, 10000)" >/dev/null
}
expire() { q "UPDATE sortie.pilot_room SET lease_tick = 0; SELECT count(*) FROM sortie.expire_1(5, $1, 1, 1000000, 10)"; }
# late_end JOB RUN: pilot 1 reports the end of a run that it was not heard of.
late_end()
{
	q "SELECT string_agg(what::text, '') FROM sortie.report_2(2, 1, 3,
	'{1}', '{300}', '{false}', '{false}', '{}', '{}', '{}', '{}', '{1}',
	'{$1}', '{$2}', '{finished}', '{\"\"}', '{0}', '{NULL}', '{0}', '{5}',
	'{true}', '{1}', '{1}', '{1}', '{0}', '{0}', '{NULL}', '{NULL}',
	'{0}', '{NULL}', '{NULL}', '{}', '{}', '{}') WHERE what IN ('E', 'x')"
}

# Revival (I3)
w=$(make '{"max_running":1}' 'a b c' '')
grant
a=$(of "$w" a) lost=$(q "SELECT run FROM sortie.live WHERE number = $a")
expire 3 >/dev/null
stmt job_hold "0, NULL, '{}', '{$a}'" >/dev/null
stmt job_release "0, NULL, '{}', '{$a}'" >/dev/null
is "$(states "$w")" "a:share b:ready c:share" "a lost job was held and released behind its workflow's maximum"
is "$(late_end "$a" "$lost")" E "its run comes back: it has no newer one"
is "$(states "$w")" "a:finished b:ready c:share" "and ends the job"
audit_clean "after a run from behind a maximum"
run "$w" b; run "$w" c
w=$(make '{"max_running":1}' 'a b c' '')
grant
a=$(of "$w" a) lost=$(q "SELECT run FROM sortie.live WHERE number = $a")
expire 3 >/dev/null
stmt job_hold "0, NULL, '{}', '{$a}'" >/dev/null
q "SELECT 1 FROM sortie.report_2(2, 1, 3, '{1}', '{300}', '{true}',
	'{false}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
	'{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
	'{}', '{}', '{1}', '{$a}', '{$lost}')" >/dev/null
is "$(q "SELECT admitted FROM sortie.workflow WHERE workflow = $w")" 2 \
	"a run that comes back from a held job counts behind the maximum"
audit_clean "while it is there"
late_end "$a" "$lost" >/dev/null
is "$(states "$w")" "a:finished b:ready c:share" "which holds when it ends"
run "$w" b; run "$w" c

# A job that was queued when what it comes after was tried again
w=$(make '{}' 'a b c' 'a>b b>c:a')
run "$w" a
stmt job_retry "0, NULL, '{}', '{$(of "$w" a)}', true" >/dev/null
stmt job_adjust "0, NULL, '{}', '{$(of "$w" a)}', '{\"priority\":1}'" >/dev/null
claim 1 "$(q "SELECT request + 1 FROM sortie.pilot_room")" 1 1 >/dev/null
end_run "$(of "$w" a)" failed 1 >/dev/null
is "$(states "$w")" "a:failed b:ready c:after" "a queued job is left in line"
stmt job_hold "0, NULL, '{}', '{$(of "$w" b)}'" >/dev/null
is "$(states "$w")" "a:failed b:skipped c:ready" \
	"held, it is skipped, for it cannot run any more"
audit_clean "then"
run "$w" c

# Paths: whose they are
w=$(make '{}' 'a' '' 'a>/p')
run "$w" a
like "$(make '{}' 'a' '' 'a>/p' 2)" "*path \"/p\" belongs to somebody else*" \
	"nobody writes what is somebody else's"
is "$(make '{"state":"held"}' 'a' '' 'a</p' 2 | grep -c '^[0-9]*$')" 1 "but everybody's jobs read it"
bob=$(q "SELECT max(workflow) FROM sortie.workflow")
like "$(q "SELECT sortie.dataset_delete_2(1, 1, '{}', (SELECT dataset FROM sortie.dataset WHERE path = '/p'))")" \
	"*is used by a job, which*" "whose number its owner is not told"
like "$(q "SELECT sortie.dataset_delete_2(1, NULL, '{}', (SELECT dataset FROM sortie.dataset WHERE path = '/p'))")" \
	"*is used by job $(of "$bob" a), which*" "but an administrator"
cancel_all "$bob"
q "SELECT sortie.dataset_delete_2(1, 1, '{}', (SELECT dataset FROM sortie.dataset WHERE path = '/p'))" >/dev/null
w2=$(make '{"state":"held"}' 'a' '' 'a>/p' 2)
is "$(q "SELECT owner_id, version FROM sortie.dataset WHERE path = '/p' ORDER BY version")" \
	"1|1
2|2" "a path that was forgotten is free"
like "$(q "SELECT message FROM sortie.job_retry_1(0, NULL, '{}', '{$(of "$w" a)}', true)")" \
	"*cannot be tried again: the path \"/p\" belongs to somebody else*" \
	"and who had it does not write it again"
cancel_all "$w2"
w=$(make '{}' 'a' '' 'a>/q')
like "$(make '{}' 'a' '' 'a>/q')" "*\"/q\" is being made by job $(of "$w" a)*" "one job at a time makes a path"
q "INSERT INTO sortie.kind (owner_id, project_id, jobtype) VALUES (1, 2, 'x');
UPDATE sortie.job SET kind_id = (SELECT max(kind_id) FROM sortie.kind) WHERE number = $(of "$w" a)" >/dev/null
like "$(make '{}' 'a' '' 'a>/q')" "*\"/q\" is being made by another job*" "whose number other projects are not told"
q "UPDATE sortie.job SET kind_id = 1 WHERE number = $(of "$w" a)" >/dev/null
run "$w" a
w2=$(make '{}' 'b' '' 'b>/q')
like "$(q "SELECT message FROM sortie.job_retry_1(0, NULL, '{}', '{$(of "$w" a)}', true)")" \
	"job $(of "$w" a) cannot be tried again: the path \"/q\" is being made by job $(of "$w2" b)" \
	"a job whose file another one makes by now is not tried again"
run "$w2" b
is "$(q "SELECT count(*) || ' ' || count(code) FROM sortie.job_retry_1(0, NULL, '{}', '{$(of "$w" a),$(of "$w2" b)}', true)")" \
	"2 1" "of two that made it one is"
is "$(q "SELECT count(*) FROM sortie.ended WHERE number IN ($(of "$w" a), $(of "$w2" b))")" 1 "alone"
say a "BEGIN; SELECT 1 FROM sortie.dataset WHERE path = '/q' AND version = 2 FOR UPDATE" >/dev/null
like "$(make '{}' 'c' '' 'c>/q')" "*could not obtain lock*" "who makes a path does not pass who tries it again"
say a COMMIT >/dev/null
run "$w" a; run "$w2" b
w=$(make '{}' 'a b' 'a>b' 'b>/r')
run "$w" a:failed
w2=$(make '{}' 'c' '' 'c>/r')
is "$(states "$w")" "a:failed b:skipped" "a job was skipped, and another one makes its file"
stmt workflow_retry "0, NULL, '{}', $w" >/dev/null
is "$(states "$w") $(q "SELECT text FROM sortie.event WHERE kind = 'not retried'")" \
	"a:ready b:skipped the path \"/r\" is being made by job $(of "$w2" c)" \
	"it stays skipped when its parent is tried again, and an event says why"
run "$w" a; run "$w2" c
is "$(state "$w")" "finished 2/2 0" "the workflow ends without it"
audit_clean "after paths"

# Relative paths are each workflow's own
cwd() { q "UPDATE sortie.job SET definition = '{\"cwd\":\"/w\"}' WHERE number = $1" >/dev/null; }
w=$(q "SELECT f.make('{\"open\":true}', 'a', '', NULL, NULL, NULL, 'a>./f') ->> 'number'")
cwd "$(of "$w" a)"
like "$(q "SELECT f.make('{}', 'b', 'a>b', $w, NULL, NULL, 'b<./f')")" \
	"*job \"b\": it cannot read the file \"./f\" of the job \"a\"*directory*cwd*" \
	"a job that is added does not read a file in another directory"
is "$(q "SELECT f.make('{}', 'b', 'a>b', $w, NULL, NULL, 'b<./f', 1, '{\"cwd\":\"/w\"}') ->> 'jobs'")" 2 \
	"it does in the same one"
is "$(q "SELECT count(DISTINCT d.dataset), max(d.producer) = $(of "$w" a) FROM sortie.dataset d
	JOIN sortie.dataset_use u USING (dataset) WHERE d.workflow = $w")" "1|t" "the one that the first makes"
like "$(q "SELECT f.make('{}', 'c', '', $w, NULL, NULL, 'c>./f')")" "*\"./f\" is being made by job $(of "$w" a)*" \
	"of which there is one at a time"
like "$(make '{}' 'a b' 'a>b' 'a>./f b<./f')" "*job \"b\": it cannot read*\"a\"*" "nor when they are made at once"
is "$(make '{}' 'a' '' 'a>./f' | grep -c '^[0-9]*$')" 1 "another workflow makes one of its own"
cancel_all "$w"
cancel_all "$(q "SELECT max(workflow) FROM sortie.workflow")"
audit_clean "after relative paths"

# What is not the asker's is not locked.
w=$(make '{}' 'a' '')
run "$w" a:failed
say a "BEGIN; SELECT 1 FROM sortie.workflow WHERE workflow = $w FOR UPDATE" >/dev/null
q "UPDATE sortie.class SET active = false WHERE class_id = 1" >/dev/null
for call in "job_cancel_1(0, 2, '{}', '{$(of "$w" a)}', false)" "job_retry_1(0, 2, '{}', '{$(of "$w" a)}', false)" \
	"job_release_1(0, 2, '{}', '{$(of "$w" a)}')" "workflow_retry_2(0, 2, '{}', $w)"; do
	is "$(q "SELECT code FROM sortie.$call")" not_found "nobody waits for what is not his: ${call%%(*}"
done
is "$(q "SELECT active FROM sortie.class WHERE class_id = 1")" f "nor wakes its classes"
q "UPDATE sortie.class SET active = true WHERE class_id = 1" >/dev/null
say a COMMIT >/dev/null

# A large workflow is started, and loses its maximum, in steps.
w=$(q "SELECT f.make('{\"state\":\"held\",\"max_running\":3}', string_agg('n' || i, ' '), '')
	->> 'number' FROM generate_series(1, 10500) i")
where() { q "SELECT count(*) FROM sortie.queue; SELECT count(*) FROM sortie.waiting WHERE workflow = $w AND why = '$1'"; }
look() { while [ "$(q "SELECT more FROM sortie.workflow_look_step_1(0, 300)")" = t ]; do :; done; }
is "$(q "SELECT more, changed FROM sortie.workflow_start_2(0, NULL, '{}', $w)") $(where after)" \
	"t|10500 3
500" "10,500 jobs begin, the first 10,000 at once"
audit_clean "between steps"
look
is "$(where share)" "3
10497" "steps go on with the others, and all but three wait behind the gate"
is "$(q "SELECT more FROM sortie.workflow_adjust_2(0, NULL, '{}', $w, '{\"max_running\":null}')") $(where share)" \
	"t 10003
497" "without a gate 10,000 more go at once"
audit_clean "behind an open gate"
look
is "$(where share)" "10500
0" "and steps let all others go"
audit_clean "without a gate"
stmt workflow_delete "0, NULL, '{}', $w, true" >/dev/null
while [ "$(q "SELECT more FROM sortie.workflow_cancel_step_1(0, 20000)")" = t ]; do :; done
q "SELECT n FROM sortie.workflow_forget_1(0, 20000, 0)" >/dev/null

# In steps: a large workflow is tried again, and gets another priority.
# layered N: r, N jobs after it, and one after all of these.
layered() { q "SELECT f.make('{}', 'r end ' || string_agg('n' || i, ' '), string_agg('r>n' || i || ' n' || i || '>end', ' ')) ->> 'number' FROM generate_series(1, $1) i"; }
w=$(layered 2500)
run "$w" r:failed
while [ "$(q "SELECT more FROM sortie.graph_firing_1(0, 2000)")" = t ]; do :; done
is "$(state "$w")" "failed 2502/2502 1" "a failure skips 2,501 jobs"
is "$(q "SELECT more, changed FROM sortie.workflow_retry_2(0, NULL, '{}', $w)")" "t|1" "a retry is begun"
is "$(q "SELECT n_ended > 1000, (SELECT count(*) FROM sortie.again) > 1000, state FROM sortie.workflow WHERE workflow = $w")" \
	"t|t|running" "with some of its jobs"
audit_clean "between steps"
run "$w" r
steps=0
while [ "$(q "SELECT more FROM sortie.workflow_retry_step_1(0, 1000)")" = t ]; do
	steps=$((steps + 1))
done
is "$steps $(state "$w")" "1 running 1/2502 0" "steps go on while the first jobs run"
audit_clean "after all of them"
is "$(q "SELECT generation, (SELECT count(*) FROM sortie.event WHERE kind = 'workflow retried'
	AND detail ->> 'workflow' = '$w') FROM sortie.workflow WHERE workflow = $w")" "1|1" "it was one retry"
while [ "$(q "SELECT more FROM sortie.graph_firing_1(0, 2000)")" = t ]; do :; done
is "$(q "SELECT count(*) FROM sortie.queue")" 2500 "what hangs on the first is ready"
is "$(q "SELECT more, changed FROM sortie.workflow_adjust_2(0, NULL, '{}', $w, '{\"priority\":7}')")" "t|2501" "a priority is begun"
q "SELECT f.make('{}', 'late', '') " >/dev/null
while [ "$(q "SELECT more FROM sortie.workflow_priority_step_1(0, 1000)")" = t ]; do :; done
is "$(q "SELECT count(*), min(place), max(place) FROM sortie.queue q JOIN sortie.node n USING (number) WHERE n.workflow = $w")" \
	"2500|-8|-8" "and steps give it to all"
is "$(q "SELECT count(*) FROM sortie.job WHERE priority = 7")" 2501 "that were there"
audit_clean "after priorities"
stmt workflow_cancel "0, NULL, '{}', $w" >/dev/null
while [ "$(q "SELECT more FROM sortie.workflow_cancel_step_1(0, 2000)")" = t ]; do :; done
is "$(q "SELECT more, changed FROM sortie.workflow_retry_2(0, NULL, '{}', $w)")" "t|2501" "it is cancelled and tried again"
stmt workflow_cancel "0, NULL, '{}', $w" >/dev/null
while [ "$(q "SELECT more FROM sortie.workflow_cancel_step_1(0, 2000)")" = t ]; do :; done
is "$(q "SELECT count(*) > 0 FROM sortie.again")" t "and cancelled before it was gone through"
while [ "$(q "SELECT more FROM sortie.workflow_retry_step_1(0, 1000)")" = t ]; do :; done
is "$(q "SELECT state, n_ended, (SELECT count(*) FROM sortie.again) FROM sortie.workflow WHERE workflow = $w")" \
	"cancelled|2502|0" "nothing is tried again then"
audit_clean "after a cancelled retry"

# Classes that wait count.
cancel_all "$(q "SELECT max(workflow) FROM sortie.workflow")"
q "INSERT INTO sortie.class (key, owner_id, project_id, jobtype, site, pools, labels, cores, memory, life_s,
	limit_ids, limit_counts)
SELECT key || i, owner_id, project_id, jobtype, site, pools, labels, cores, memory, life_s, limit_ids, limit_counts
FROM sortie.class, generate_series(1, 4000) AS i WHERE class_id = 1;
INSERT INTO sortie.waiting (number, why, class_id, kind_id, project_id, place, turn, attempt)
SELECT 1000000 + class_id, 'held', class_id, 1, 1, 0, 0, 1 FROM sortie.class WHERE class_id > 2"
like "$(make '{"state":"held"}' 'a' '')" "*more than 4000*" "classes of jobs that wait count among those that are bounded"
q "DELETE FROM sortie.waiting WHERE number = (SELECT max(number) FROM sortie.waiting)"
w=$(make '{"state":"held"}' 'a' '')
is "$(make '{"state":"held"}' 'a' '' | grep -c '^[0-9]*$')" 1 "one more may, and jobs of one that waits already"
q "DELETE FROM sortie.waiting WHERE number > 1000000; DELETE FROM sortie.class WHERE class_id > 2"
cancel_all "$w"
cancel_all "$(q "SELECT max(workflow) FROM sortie.workflow")"

# What is old goes.
w=$(make '{}' 'a b' 'a>b' 'a>/kept b</kept'); run "$w" a; run "$w" b
w2=$(make '{}' 'a' ''); run "$w2" a
q "UPDATE sortie.workflow SET ended_at = now() - interval '2 hours' WHERE workflow = $w" >/dev/null
old="$(of "$w" a), $(of "$w" b)"
while [ "$(q "SELECT more FROM sortie.workflow_forget_1(0, 1, 3600)")" = t ]; do :; done
is "$(q "SELECT (SELECT count(*) FROM sortie.job WHERE number IN ($old)), (SELECT count(*)
	FROM sortie.node WHERE workflow = $w), (SELECT count(*) FROM sortie.workflow WHERE workflow IN ($w, $w2))")" \
	"0|0|1" "a workflow that ended too long ago goes with all of its jobs, job by job"
is "$(q "SELECT state, (SELECT count(*) FROM sortie.dataset_use u WHERE u.dataset = d.dataset)
	FROM sortie.dataset d WHERE path = '/kept'")" "ready|0" "what it has made is still known"
audit_clean "after what is old has gone"
q "UPDATE sortie.project SET keep_last = 0 WHERE name = 'default'" >/dev/null
w=$(make '{"state":"held"}' 'a' '' 'a</kept')
job=$(submit 1 1)
q "INSERT INTO sortie.dataset_use (number, dataset, role) SELECT $job, dataset, 'i' FROM sortie.dataset
	WHERE path = '/kept'" >/dev/null
stmt job_cancel "0, NULL, '{}', '{$job}', false" >/dev/null
for i in 1 2 3; do q "SELECT jobs FROM sortie.retention_step_1(0, 0, 0, 10000)" >/dev/null; done
while [ "$(q "SELECT more FROM sortie.workflow_forget_1(0, 4000, 0)")" = t ]; do :; done
is "$(q "SELECT (SELECT count(*) FROM sortie.ended WHERE kind_id = 1), (SELECT count(*) FROM sortie.workflow
	WHERE project_id = 1), (SELECT count(*) FROM sortie.dataset_use u JOIN sortie.dataset d USING (dataset)
	WHERE d.path = '/kept')")" "0|1|1" "a project that keeps nothing keeps what has not ended, and its files"
audit_clean "then"
q "UPDATE sortie.project SET keep_last = NULL" >/dev/null
cancel_all "$w"

# Each duty counts in a bucket of its own, so that none waits for another: not
# even in one era, which does not end meanwhile.
q "CREATE OR REPLACE FUNCTION sortie.tally_era_1() RETURNS int LANGUAGE sql
	AS 'SELECT 7'" >/dev/null
w=$(make '{}' 's:noop a b' 's>a s>b'); w2=$(make '{}' 'a' '')
stmt workflow_cancel "0, NULL, '{}', $w" >/dev/null
say a "BEGIN; SELECT n FROM sortie.workflow_cancel_step_1(9, 100)" >/dev/null
is "$(q "SELECT sortie.due_1(6, 100)")" 0 "the due duty does not wait for one that cancels"
like "$(q "SELECT sortie.tally_move_1(9, '{1}', 'defined', 'cancelled')")" "*lock timeout*" \
	"as it would in the same bucket"
say a COMMIT >/dev/null
cancel_all "$w2"

# Who hears of what ended.
w=$(make '{"on_failure":"cancel"}' 'a b' '')
grant
is "$(rows "sortie.job_cancel_3(0, NULL, '{}', '{$(of "$w" a)}', false, 'x')")" "" "an order to cancel ends nothing"
is "$(q "UPDATE sortie.pilot_room SET lease_tick = 0; SELECT string_agg(e.what::text, '' ORDER BY e.what) FROM sortie.expire_2(5, 0, 1, 1000000, 10) AS e")" \
	"Feepz" "an expiry tells of jobs and workflows that ended by it"
pilot 1 true near 100 100 >/dev/null
w=$(make '{}' 'a' '')
is "$(rows "sortie.job_cancel_3(0, NULL, '{}', '{$(of "$w" a)}', false, 'x')")" "z" "so does a cancel"
w=$(make '{}' 'a' '')
q "SELECT 1 FROM sortie.claim_1(1, 1, 77, '{2}', '{1}', '{100}', '{100}', '{0}', '{0}', '{200}')" >/dev/null
q "UPDATE sortie.live SET running = true" >/dev/null
is "$(rows "sortie.pilot_leave_2(0, 0, 2)")" "epz" "and a pilot that leaves"
finish
