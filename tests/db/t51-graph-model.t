#!/bin/sh
# Random dags with random outcomes do what a small model of them does.
# GRAPH_SEED repeats a run, GRAPH_ROUNDS makes it longer.
. "${0%/*}/session.sh"
command -v python3 >/dev/null || skip_all "there is no python3"
start_world
run_psql -d t -f "$top/tests/db/flow.sql" >/dev/null
pilot 1 true near 1000 1000 >/dev/null
seed=${GRAPH_SEED:-$(date +%s)}
echo "# GRAPH_SEED=$seed GRAPH_ROUNDS=${GRAPH_ROUNDS:-60}"
# model ROUNDS SEED HOW
model()
{
	python3 "$top/tests/db/t51-graph-model.py" "$2" "$1" >"$T/model.sql" ||
		fail "the model runs"
	is "$(run_psql -d t -f - <"$T/model.sql" 2>&1 | grep . | head -20)" "" \
		"every job is where the model has it after each of $(grep -c wanted "$T/model.sql") steps$3"
}
rounds=${GRAPH_ROUNDS:-60}
model $((rounds / 2)) "$seed" ""
# The same in small portions. portion N: children that a report tells.
portion()
{
	sed -n '/FUNCTION sortie.settle_2(/,/^END/p' "$top/sql/function/graph.sql" |
		sed "s/256, 64/$1, 2/" | run_psql -d t -f - 2>&1
}
portion 1
like "$(q "SELECT prosrc FROM pg_proc WHERE proname = 'settle_2'")" "*NULL, 1, 2)*" \
	"an end tells one child, the duty the others"
model $((rounds / 2)) "${seed}1" ", in small portions"
# Reading stops among the children of one.
portion 3
w=$(q "SELECT f.make('{}', (SELECT string_agg('a' || i, ' ') || ' x y z:any'
	FROM generate_series(1, 70) i), (SELECT string_agg(format('a%s>x', i), ' ')
	|| ' ' || string_agg(format('a%s>y:a a%s>z:f', i, i), ' ') FILTER (WHERE i > 1)
	FROM generate_series(1, 70) i)) ->> 'number'")
q "SELECT f.run($w, (SELECT string_agg('a' || i || CASE i WHEN 70 THEN ':failed' ELSE '' END,
	' ') FROM generate_series(1, 70) i))" >/dev/null
audit_clean "while 208 edges are told"
q "SELECT f.told()" >/dev/null
is "$(q "SELECT string_agg(x.s, ' ') FROM string_to_table(f.states($w), ' ') AS x(s)
	WHERE x.s NOT LIKE 'a%'")" "x:skipped y:ready z:ready" \
	"more edges than are read at once are told whole"
is "$(q "SELECT count(*) > 10 FROM sortie.ended WHERE state = 'skipped'")" t \
	"conditions were not met too"
audit_clean "at the end"
finish
