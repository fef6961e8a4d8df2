#!/bin/sh
# The database has no connection left for the server, or too few: the server
# says 503 for what it cannot do and goes on by itself; with one connection in
# its pool it serves everybody in turn.
. "${0%/*}/lib.sh"

start_database
query 'CREATE ROLE app LOGIN' >"$T/set"
query 'GRANT CREATE ON DATABASE postgres TO app' >"$T/set"
launch s --database "host=$T/db user=app dbname=postgres" \
	--state-dir "$T/state" --lease 20 --db-connections 1
use_server "$T/s" "$T/state"
start_pilot --slots 2
seq 40 | while read -r i; do
	echo 'url = "http://s/api/v1/summary"'
	echo "output = \"$T/summary.$i\""
done >"$T/urls"
curl -s -Z --parallel-max 40 --unix-socket "$sock" -K "$T/urls" \
	-H "Authorization: Bearer $token" -w '%{http_code}\n' \
	>"$T/codes" 2>"$T/curl.out"
is "$(sort "$T/codes" | uniq -c | sed 's/^ *//')" "40 200" \
	"40 questions at once share one connection"

mkfifo "$T/go"
submit "{\"shell\":\"read x <$T/go; echo done\"}"
long=$job
within 10 "a job runs" job_is "$long" running

# connections N: so many and no more, -1 for any number.
connections()
{
	query "ALTER ROLE app CONNECTION LIMIT $1" >"$T/set"
	query "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE usename = 'app'" >"$T/set"
}
answers_503()
{
	call POST /api/v1/jobs '{"argv":["true"],"key":"late"}' -D "$T/head"
	[ "$status" = 503 ]
}
n_connected()
{
	[ "$(query "SELECT count(*) FROM pg_stat_activity
		WHERE usename = 'app'")" = "$1" ]
}
connections 3
within 10 "it has three of its connections" n_connected 3
odd=
for i in 1 2 3 4 5 6 7 8; do
	call POST /api/v1/jobs '{"argv":["true"],"key":"few"}'
	case $status in
	201 | 503) ;;
	*) odd="$odd $status" ;;
	esac
done
is "$odd" "" "each submission is done or put off"
connections 0
within 10 "without any it refuses" answers_503
like "$(tr 'A-Z' 'a-z' <"$T/head")" "*retry-after:*" "with Retry-After"
call GET /healthz
is "$status" 200 "and serves"
tell "$T/go"
query 'ALTER ROLE app CONNECTION LIMIT -1' >"$T/set"
within 20 "when there are enough again the end arrives" \
	job_is "$long" finished
is "$(field "$long" .attempts)" 1 "as its first run"
submit '{"argv":["true"]}'
within 15 "and jobs run" job_is "$job" finished
finish
