#!/bin/sh
# Database down: 503 with Retry-After for everything that needs it, readyz
# says so, pilots and the command wait and go on by themselves. A host of several
# that takes connections and hangs up is passed over.
. "${0%/*}/lib.sh"
. "${0%/*}/lib-wire.sh"

start_database
mkdir "$T/dead"
start_wire "$T/dead/.s.PGSQL.5432" "$T/none"
database="host=$T/dead,$T/db user=sortie dbname=postgres"
launch s --database "$database" --state-dir "$T/state" --lease 20
use_server "$T/s" "$T/state"
start_pilot --slots 1
mkfifo "$T/go"
submit "{\"shell\":\"read x <$T/go; echo done\"}"
within 10 "a job runs" job_is "$job" running
kill -QUIT "$database_pid"
wait_until 10 gone "$database_pid"
call POST /api/v1/jobs '{"argv":["true"]}' -D "$T/head"
is "$status $(of .error.code)" "503 unavailable" "a submission is refused"
like "$(tr 'A-Z' 'a-z' <"$T/head")" "*retry-after:*" "with Retry-After"
call GET /api/v1/jobs
is "$status" 503 "so is a question"
call GET /healthz
is "$status" 200 "it still serves"
call GET /readyz
is "$status" 503 "but is not ready"
tell "$T/go"
sortie job submit --patience 60 -q -j '{"argv":["true"]}' >"$T/late" 2>"$T/late.out" &
late=$!
started $late other
within 10 "the command says that it waits" test -s "$T/late.out"
resume_database
within 15 "the end comes when the database is back" job_is "$job" finished
is "$(output "$job")" done "with its output"
is "$(field "$job" .attempts)" 1 "it ran once"
within 20 "the command goes on" gone $late
like "$(cat "$T/late")" "[0-9]*" "and has a number"
within 10 "that job runs, too" job_is "$(cat "$T/late")" finished

# A synchronous standby that nobody can be stands for one that died.
standby()
{
	query "ALTER SYSTEM SET synchronous_standby_names = '$1'" &&
		query "SELECT pg_reload_conf()" >"$T/reload"
}
waits_for_standby()
{
	[ "$(query "SELECT count(*) > 0 FROM pg_stat_activity
		WHERE wait_event = 'SyncRep'")" = t ]
}
standby none
sortie job submit -q -j '{"argv":["true"]}' --key once >"$T/late" 2>&1 &
late=$!
started $late other
within 10 "commits wait for a standby that is away" waits_for_standby
throughout 1 "and nothing is acknowledged" alive $late
call GET /api/v1/jobs
is "$status" 200 "while questions are answered"
standby ''
within 20 "without it the command goes on" gone $late
within 10 "and its job runs" job_is "$(cat "$T/late")" finished
finish
