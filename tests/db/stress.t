#!/bin/bash
# Everything at once, at random, and then every invariant.
#
# STRESS_SECONDS (default 8) says for how long, STRESS_SEED which random calls.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$abs_top_srcdir/tests/db/lib.sh"
db_start
seconds=${STRESS_SECONDS:-8}
seed=${STRESS_SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
echo "# STRESS_SEED=$seed STRESS_SECONDS=$seconds"

for file in flow stress_flow stress; do
	psql -qXv ON_ERROR_STOP=1 -f "$abs_top_srcdir/tests/db/$file.sql"
done
sql "SELECT sortie.limit_set_1('m', 6), sortie.limit_set_1('k', 5),
	sortie.project_set_1(0, 'p1', 8, true, NULL, false),
	sortie.class_ensure_1(1, '{}', 0),
	sortie.class_ensure_1(1, '{\"project\": \"p1\", \"limits\": {\"m\": 1}}', 0),
	t.pilot(4, 8, 2000, 's0', '{pool0}'), t.pilot(3, 4, 1000, 's1')" \
	>/dev/null
pids=
for session in 1 2 3 4 5; do
	psql -qXv ON_ERROR_STOP=1 -c "CALL t.stress($session,
		(($seed * 7 + $session * 1000) % 60000) / 60000.0, $seconds)" \
		>"$T/out.$session" 2>&1 &
	pids="$pids $!"
done
bad=0
for pid in $pids; do
	wait "$pid" || bad=1
done
ok "$bad" "all sessions came to their end"
is "$(cat "$T"/out.* | head -n 40)" "" "no call failed but as it may"
for file in audit_workflow audit_graph audit_dataset; do
	is "$(sql "$(cat "$abs_top_srcdir/sql/stmt/$file.sql")")" "" "$file finds nothing"
done
is_sound "after $(sql 'SELECT count(*) FROM t.did') calls"
sql "SELECT '# ' || what || ' ' || outcome || ': ' || count(*) FROM t.did
	GROUP BY what, outcome ORDER BY 1"
finish
