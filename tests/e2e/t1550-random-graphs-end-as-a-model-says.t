#!/bin/sh
# Random dags with random ends: after each step every job is where a small
# model has it. GRAPH_SEED repeats a run, GRAPH_ROUNDS makes it longer, as
# SORTIE_TEST_LONG=1 does.
. "${0%/*}/lib.sh"
command -v python3 >/dev/null || skip_all "there is no python3"

start_server
seed=${GRAPH_SEED:-$(date +%s)}
rounds=${GRAPH_ROUNDS:-30}
[ -z "${SORTIE_TEST_LONG:-}" ] || rounds=${GRAPH_ROUNDS:-300}
diag "GRAPH_SEED=$seed GRAPH_ROUNDS=$rounds"
if python3 "$here/graphs.py" "$sock" "$state/admin-token" "$join_token_file" \
	"$seed" "$rounds" >"$T/graphs.out" 2>&1; then
	pass "server and model agree"
else
	fail "server and model agree" "$(tail -n 20 "$T/graphs.out")"
fi
diag "$(cat "$T/graphs.out")"
for what in "retry of all" "retry of one" cancel skipped timelimit; do
	like "$(cat "$T/graphs.out")" "*[1-9]* $what*" "there was: $what"
done
finish
