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
python3 "$top/tests/db/t51-graph-model.py" "$seed" "${GRAPH_ROUNDS:-60}" \
	>"$T/model.sql" || fail "the model runs"
is "$(run_psql -d t -f - <"$T/model.sql" 2>&1 | grep . | head -20)" "" \
	"every job is where the model has it after each of $(grep -c wanted "$T/model.sql") steps"
is "$(q "SELECT count(*) > 10 FROM sortie.ended WHERE state = 'skipped'")" t \
	"conditions were not met too"
audit_clean "at the end"
finish
