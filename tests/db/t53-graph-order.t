#!/bin/sh
# Graphs beside what else changes the same rows: in which order locks are
# taken, and that nothing is left behind, taken twice or kept waiting.
. "${0%/*}/session.sh"
start_world
run_psql -d t -f "$top/tests/db/flow.sql" >/dev/null
pilot 1 true near 1000 1000 >/dev/null
q "ALTER DATABASE t SET lock_timeout = '4s'" >/dev/null
open_session a
open_session b
of() { q "SELECT f.number($1, '$2')"; }
states() { q "SELECT f.states($1)"; }
make() { q "SELECT f.make('$1', '$2', '$3', NULL, NULL, ${5-NULL}, '${4-}') ->> 'number'"; }
run() { q "SELECT f.run($1, '$2')" >/dev/null; }
grant() { claim 1 "$(q "SELECT request + 1 FROM sortie.pilot_room")" 1000 1000 >/dev/null; }
is_free() { is "$(q "SELECT path FROM sortie.dataset WHERE path = '$1' FOR UPDATE NOWAIT")" "$1" "$2"; }
cancel_all()
{
	stmt workflow_cancel "0, NULL, '{}', $1" >/dev/null
	q "SELECT n FROM sortie.workflow_cancel_step_1(0, 100)" >/dev/null
}

# The maximum goes while a job's time comes.
w=$(make '{"max_running":1}' 'a b' '' '' "now() + interval '1 hour'")
q "UPDATE sortie.waiting SET due = now() WHERE number = $(of "$w" a);
SELECT sortie.due_1(0, 100);
UPDATE sortie.waiting SET due = now() WHERE number = $(of "$w" b)" >/dev/null
is "$(states "$w")" "a:ready b:time" "a job's time has come, its workflow has its maximum"
say a "BEGIN; SELECT sortie.due_1(0, 100)" >/dev/null
ask b "SELECT code FROM sortie.workflow_adjust_2(1, NULL, '{}', $w, '{\"max_running\":null}')"
until_blocked
say a COMMIT >/dev/null
hear b >/dev/null
q "SELECT sortie.due_1(0, 100)" >/dev/null
is "$(states "$w")" "a:ready b:ready" "it does not wait behind a gate that is gone"
audit_clean "without the gate"
run "$w" "a b"

# Somebody works on the workflow: the duty does not wait.
w=$(make '{"max_running":1}' 'a b' '' '' "now() + interval '1 hour'")
q "UPDATE sortie.waiting SET due = now() WHERE why = 'time'" >/dev/null
say a "BEGIN; SELECT 1 FROM sortie.workflow WHERE workflow = $w FOR UPDATE" >/dev/null
is "$(q "SELECT sortie.due_1(0, 100)")" 0 "the due duty waits for no workflow"
is "$(states "$w")" "a:time b:time" "whose jobs come later"
say a COMMIT >/dev/null
q "SELECT sortie.due_1(0, 100)" >/dev/null
is "$(states "$w")" "a:ready b:share" "and do"
audit_clean "after both"
run "$w" a; run "$w" b

# Datasets are locked by path, whatever their numbers are.
for path in /z /a; do
	q "SELECT 1 FROM sortie.dataset_register_1(1, 7274496, -5, false, '{default}', '{\"\"}', '{$path}', '{x}', '{NULL}', '{\"\"}', '{\"\"}', '{declared}', '{NULL}', '{NULL}')" >/dev/null
done
w=$(make '{}' 'a' '' 'a</z a</a a>/y a>/b')
q "UPDATE sortie.dataset SET path = translate(path, 'by', 'yb') WHERE path IN ('/y', '/b')" >/dev/null
grant
files='{"inputs":[{"path":"/a","size":1},{"path":"/z","size":1}],"outputs":[{"path":"/b","size":1}]}'
say a "BEGIN; SELECT 1 FROM sortie.dataset WHERE path = '/a' FOR UPDATE" >/dev/null
ask b "$(sql_end "$(of "$w" a)" finished 0 "'$files'")"
until_blocked
is_free /z "a report that waits for one input holds no later one"
say a COMMIT >/dev/null
is "$(hear b)" 1 "then it goes on"
is "$(q "SELECT string_agg(path || ' ' || state, ',' ORDER BY path) FROM sortie.dataset")" \
	"/a ready,/b ready,/y missing,/z ready" "with all of its files"
audit_clean "after files"

# Behind the workflow's row nobody waits for a dataset.
w=$(make '{}' 'a' '' 'a>/o')
grant
say a "BEGIN; SELECT 1 FROM sortie.dataset WHERE path = '/o' FOR UPDATE" >/dev/null
like "$(end_run "$(of "$w" a)" cancelled 1)" "*could not obtain lock on row*" \
	"an end without files does not wait for a dataset"
say a COMMIT >/dev/null
is "$(end_run "$(of "$w" a)" cancelled 1)" 1 "and is repeated"
say a "BEGIN; SELECT 1 FROM sortie.dataset WHERE path = '/o' FOR UPDATE" >/dev/null
like "$(stmt workflow_retry "0, NULL, '{}', $w")" "*could not obtain lock on row*" "nor does a retry"
say a COMMIT >/dev/null
stmt workflow_retry "0, NULL, '{}', $w" >/dev/null
is "$(q "SELECT state FROM sortie.dataset WHERE path = '/o'")" declared "which is repeated too"
cancel_all "$w"

# What is somebody else's does not become ready by a report.
q "SELECT 1 FROM sortie.dataset_register_1(2, 7274496, -5, false, '{other}', '{\"\"}', '{/bob}', '{x}', '{NULL}', '{\"\"}', '{\"\"}', '{declared}', '{NULL}', '{NULL}')" >/dev/null
w=$(make '{}' 'a' '' 'a</bob')
grant
end_run "$(of "$w" a)" finished 0 "'{\"inputs\":[{\"path\":\"/bob\",\"size\":7}]}'" >/dev/null
is "$(q "SELECT state, size FROM sortie.dataset WHERE path = '/bob'")" "declared|" \
	"a report makes no dataset of another owner ready"

# What is left to tell: a large graph does not keep a small one waiting.
big=$(q "SELECT f.make('{}', (SELECT 's ' || string_agg('n' || i, ' ')
	FROM generate_series(1, 600) i), (SELECT string_agg('s>n' || i, ' ')
	FROM generate_series(1, 600) i)) ->> 'number'")
small=$(q "SELECT f.make('{}', (SELECT 's ' || string_agg('n' || i || ':noop', ' ')
	FROM generate_series(1, 80) i), (SELECT 's>n1 ' || string_agg('n' || i || '>n'
	|| i + 1, ' ') FROM generate_series(1, 79) i)) ->> 'number'")
run "$big" s; run "$small" s
steps=0
while [ "$(q "SELECT count(*) FROM sortie.firing WHERE workflow = $small")" -gt 0 ] &&
	[ $steps -lt 100 ]; do
	q "SELECT n FROM sortie.graph_firing_1(0, 10)" >/dev/null
	steps=$((steps + 1))
done
is "$(q "SELECT count(*) FROM sortie.firing WHERE workflow = $big")" 1 \
	"a small graph is gone through before a large one is done"
while [ "$(q "SELECT more FROM sortie.graph_firing_1(0, 1000)")" = t ]; do :; done
cancel_all "$big"
while [ "$(q "SELECT more FROM sortie.workflow_cancel_step_1(0, 500)")" = t ]; do :; done
audit_clean "then"

# Projects that keep their last jobs: workflows go as fast as they come.
for i in 1 2 3 4 5 6; do
	w=$(make '{}' 'a b' ''); run "$w" "a b"
done
q "UPDATE sortie.project SET keep_last = 5 WHERE name = 'default'" >/dev/null
for i in 1 2 3; do
	q "SELECT jobs FROM sortie.retention_step_1(0, 0, 0, 10000)" >/dev/null
done
is "$(q "SELECT count(*) FROM sortie.workflow WHERE ended_at IS NOT NULL AND NOT deleting")" 3 \
	"all workflows that are too old go at once"
while [ "$(q "SELECT more FROM sortie.workflow_forget_1(0, 4000, 0)")" = t ]; do :; done
is "$(q "SELECT count(*), max(number) = (SELECT max(number) FROM sortie.node WHERE workflow = $w)
	FROM sortie.ended WHERE number NOT IN (SELECT number FROM sortie.node WHERE workflow = $big)")" "6|t" \
	"the last ones stay, and a workflow that has not ended"
audit_clean "after retention"
finish
