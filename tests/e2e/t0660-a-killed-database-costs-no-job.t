#!/bin/sh
# kill -9 of a backend and of the whole PostgreSQL: the server recovers by
# itself, pilots and the command wait, nothing acknowledged is lost.
. "${0%/*}/lib.sh"

start_server --lease 10 --heartbeat 2
start_pilot --slots 2
submit "{\"shell\":\"echo \$SORTIE_JOB_NUMBER >>$T/ran\",\"replicas\":200}"
backend=$(query "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1")
kill -9 "$backend"
within 30 "after the death of a backend all finish" counts finished 200
postmaster=$(head -n 1 "$state/pg/postmaster.pid")
submit "{\"shell\":\"echo \$SORTIE_JOB_NUMBER >>$T/ran\",\"replicas\":100}"
kill -9 "$postmaster"
accepted()
{
	submit "{\"shell\":\"echo \$SORTIE_JOB_NUMBER >>$T/ran\"}"
	[ "$status" = 201 ]
}
within 40 "after the death of PostgreSQL jobs are accepted again" accepted
within 40 "and all of them end" eval '[ "$(get "/api/v1/jobs?state=live" | jq ".items | length")" = 0 ]'
is "$(sort -n "$T/ran" | uniq -d)" "" "no payload ran twice"
within 20 "it is another postmaster" \
	eval '[ "$(head -n 1 "$state/pg/postmaster.pid")" != "$postmaster" ]'
finish
