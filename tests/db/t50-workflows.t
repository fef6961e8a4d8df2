#!/bin/sh
# Workflows: conditions, joins, noops, states, counters.
. "${0%/*}/session.sh"
start_world
run_psql -d t -f "$top/tests/db/flow.sql" >/dev/null
pilot 1 true near 1000 1000 >/dev/null

# make HEADER NODES EDGES: the workflow's number.
make() { q "SELECT f.make('$1', '$2', '$3') ->> 'number'"; }
run() { q "SELECT f.run($1, '$2')" >/dev/null; }
states() { q "SELECT f.states($1)"; }
state() { q "SELECT f.state($1)"; }

w=$(make '{}' 'a b c d' 'a>b a>c b>d c>d')
is "$(states "$w")" "a:ready b:after c:after d:after" "only roots get into line"
audit_clean "of a new workflow"
run "$w" a
is "$(states "$w")" "a:finished b:ready c:ready d:after" \
	"an end releases its children"
run "$w" b
is "$(states "$w")" "a:finished b:finished c:ready d:after" \
	"a join waits for all"
run "$w" c
is "$(states "$w")" "a:finished b:finished c:finished d:ready" \
	"and starts after the last"
is "$(state "$w")" "running 3/4 0" "the workflow runs"
run "$w" d
is "$(state "$w")" "finished 4/4 0" "it has finished with its last job"
audit_clean "of a finished workflow"
finish
