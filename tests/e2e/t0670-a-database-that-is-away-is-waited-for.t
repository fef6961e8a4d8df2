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
finish
