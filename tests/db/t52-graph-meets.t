#!/bin/sh
# Two sessions meet in a graph; the audit names what does not fit together.
. "${0%/*}/session.sh"
start_world
run_psql -d t -f "$top/tests/db/flow.sql" >/dev/null
pilot 1 true near 1 1 >/dev/null
pilot 1 true near 1 1 >/dev/null
open_session a
open_session b
of() { q "SELECT f.number($1, '$2')"; }
# two HEADER NODES EDGES: the workflow w, its jobs a and b on two pilots.
asks=0
two()
{
	w=$(q "SELECT f.make('$1', '$2', '$3') ->> 'number'")
	a=$(of "$w" a) b=$(of "$w" b)
	asks=$((asks + 1))
	claim 1 $asks 1 1 >/dev/null
	claim 2 $asks 1 1 >/dev/null
}

two '{}' 'a b' ''
say a "BEGIN; $(sql_end "$a" finished 0)" >/dev/null
ask b "$(sql_end "$b" finished 0)"
until_blocked && pass "the end of one of the last two jobs waits for the other's" ||
	fail "the end of one of the last two jobs waits for the other's"
say a COMMIT >/dev/null
is "$(hear b)" 1 "then it counts"
is "$(q "SELECT f.state($w)")" "finished 2/2 0" "and ends the workflow"
is "$(q "SELECT count(*) FROM sortie.event WHERE kind = 'workflow ended'
	AND detail ->> 'workflow' = '$w'")" 1 "once"
audit_clean "after the last two jobs"

two '{}' 'a b c' 'a>c b>c'
say a "BEGIN; $(sql_end "$a" finished 0)" >/dev/null
ask b "$(sql_end "$b" finished 0)"
until_blocked
say a COMMIT >/dev/null
hear b >/dev/null
is "$(q "SELECT f.states($w)")" "a:finished b:finished c:ready" \
	"a join starts after two ends that meet"
audit_clean "after a join"
stmt job_cancel "0, NULL, '{}', '{$(of "$w" c)}', false" >/dev/null

# A retry beside an end; the definition allows one retry by itself.
two '{}' 'a b c d' 'a>c b>d'
q "UPDATE sortie.job SET definition = '{}' WHERE number IN ($a, $b)" >/dev/null
end_run "$a" failed 1 >/dev/null
say a "BEGIN; $(sql_end "$b" failed 1)" >/dev/null
ask b "SELECT coalesce(code, 'done') FROM sortie.workflow_retry_2(0, NULL, '{}', $w)"
until_blocked
say a COMMIT >/dev/null
is "$(hear b)" "done" "a retry waits for an end"
is "$(q "SELECT f.states($w)")" "a:ready b:ready c:after d:after" \
	"and tries that again too"
audit_clean "after a retry beside an end"
asks=$((asks + 1)); claim 1 $asks 1 1 >/dev/null; claim 2 $asks 1 1 >/dev/null
say a "BEGIN; SELECT n FROM sortie.workflow_cancel_2(0, NULL, '{}', $w) AS n" >/dev/null
ask b "$(sql_end "$a" finished 0)"
until_blocked
say a COMMIT >/dev/null
is "$(hear b)" 1 "an end waits for a cancel"
is "$(q "SELECT f.states($w)")" "a:finished b:ready c:after d:after" \
	"and releases nothing"
audit_clean "while it is cancelled"

# A hold of a child beside its parent's end.
q "SELECT n FROM sortie.workflow_cancel_step_1(0, 100)" >/dev/null
end_run "$b" cancelled 1 >/dev/null
two '{}' 'a b c' 'a>c'
say a "BEGIN; SELECT code FROM sortie.job_hold_1(0, NULL, '{}', '{$(of "$w" c)}')" >/dev/null
ask b "$(sql_end "$a" finished 0)"
until_blocked
say a COMMIT >/dev/null
hear b >/dev/null
is "$(q "SELECT f.states($w)")" "a:finished b:ready c:held" \
	"a job that is held meanwhile is not released"
say a "BEGIN; $(sql_end "$b" finished 0)" >/dev/null
ask b "SELECT code FROM sortie.job_release_1(0, NULL, '{}', '{$(of "$w" c)}')"
until_blocked
say a COMMIT >/dev/null
hear b >/dev/null
is "$(q "SELECT f.states($w)")" "a:finished b:finished c:ready" "a release gets it on"
audit_clean "after hold and release"

# breach CHECK SQL CLAIM: the check speaks inside a transaction that is undone.
breach()
{
	got=$({
		echo "BEGIN; $2;"
		cat "$top/sql/stmt/audit_$1.sql"
		echo "; ROLLBACK;"
	} | run_psql -d t -f - 2>&1)
	like "$got" "?*" "the audit sees $3"
}
w=$(q "SELECT f.make('{\"max_running\":1}', 'a b c n:noop', 'a>c', NULL, NULL, NULL, 'a>/p c</p') ->> 'number'")
audit_clean "before"
breach workflow "UPDATE sortie.workflow SET n_ended = n_ended + 1 WHERE workflow = $w" \
	"a workflow's wrong counter"
breach workflow "UPDATE sortie.node SET admitted = true WHERE number = $(of "$w" b)" \
	"a job past its workflow's gate that is not counted"
breach workflow "UPDATE sortie.workflow SET state = 'finished', ended_at = now() WHERE workflow = $w" \
	"a workflow that ended before its jobs"
breach graph "UPDATE sortie.node SET open = 0 WHERE number = $(of "$w" c)" \
	"a wrong count of conditions"
breach graph "INSERT INTO sortie.firing (workflow, number) VALUES ($w, $(of "$w" a))" \
	"a job that tells its end before it has ended"
breach graph "UPDATE sortie.waiting SET why = 'after' WHERE number = $(of "$w" b)" \
	"a job that waits for nothing"
breach graph "DELETE FROM sortie.node WHERE number = $(of "$w" c)" "a job without its node"
breach graph "DELETE FROM sortie.workflow WHERE workflow = $w" "a node without its workflow"
breach replay "DELETE FROM sortie.event WHERE job = $(of "$w" n)" \
	"an end without a run and without an event"
breach dataset "DELETE FROM sortie.dataset" "the use of a dataset that is gone"
finish
