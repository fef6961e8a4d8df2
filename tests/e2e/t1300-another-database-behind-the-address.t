#!/bin/sh
# While a server runs, another cluster's database and then an empty one come
# to stand behind its database's address: it takes neither for its own, so no
# payload is killed and nothing is granted; it goes on when its own is back.
. "${0%/*}/lib.sh"

start_server --lease 30 --heartbeat 1
right=$state/run
mkdir "$T/wrong" && chmod 711 "$T/wrong"
launch w --embedded "$T/wrong/state"
wrong=$T/wrong/state
ln -s "$right" "$T/at"
launch x --database "host=$T/at user=sortie dbname=sortie" \
	--state-dir "$T/x.state" --lease 30 --heartbeat 1
sock=$T/x
SORTIE_URL=unix:$T/x
start_pilot --slots 2
mkfifo "$T/go"
submit "{\"shell\":\"echo \$\$ >$T/pid; read x <$T/go; echo done\"}"
mine=$job
within 10 "a job runs" job_is "$mine" running
within 5 "its payload lives" test -s "$T/pid"

# A pilot of the same number, and a job for whoever asks.
sock=$T/w
right_token=$token
token=$(cat "$wrong/admin-token")
join_token_file=$wrong/join-token
fake_pilot p1 1
submit '{"argv":["true"]}'
theirs=$job

# behind DIRECTORY DATABASE: from now on; who is connected elsewhere is sent away.
behind()
{
	ln -sfn "$1" "$T/at.new" && mv -T "$T/at.new" "$T/at"
	for server in "$right" "$wrong/run"; do
		"${bin:-$(pg_bin)}/psql" -XqAt -h "$server" -U sortie -d sortie -c \
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE application_name LIKE 'sortied%'" >"$T/gone" 2>&1
	done
}
ready()
{
	call GET /readyz && [ "$status" = "$1" ]
}
says_so()
{
	grep -q 'another cluster' "$T/server-x.out"
}
behind "$wrong/run"
sock=$T/x token=$right_token
within 10 "the server says that it is another cluster's" says_so
within 10 "it is not ready" ready 503
throughout 4 "the payload lives on" alive "$(cat "$T/pid")"
sock=$T/w token=$(cat "$wrong/admin-token")
within 10 "the other cluster's own server goes on" ready 200
is "$(field "$theirs" .state)" defined "nothing of it was granted"

start_database
query 'CREATE DATABASE sortie' >"$T/created"
behind "$T/db"
sock=$T/x token=$right_token
throughout 4 "before an empty database it lives on, too" \
	alive "$(cat "$T/pid")"
within 5 "and the server is not ready" ready 503
is "$(query "SELECT count(*) FROM pg_namespace WHERE nspname = 'sortie'")" 0 \
	"nothing was made in the empty one"
mkdir "$T/y.state"
echo precious >"$T/y.state/admin-token"
exits 1 "a server that had another one is not started there" timeout 30 \
	sortied --database "host=$T/db user=sortie dbname=sortie" \
	--listen "unix:$T/y" --state-dir "$T/y.state"
like "$said" "*the database is empty*" "and says why"
is "$(cat "$T/y.state/admin-token")" precious "its tokens are there still"

# Another server without a past makes a cluster there; its first start is
# ended before its last token is stored, then before the first.
forget()
{
	"${bin:-$(pg_bin)}/psql" -XqAt -h "$T/db" -U sortie -d sortie -c \
		"DELETE FROM sortie.token WHERE $1" >"$T/gone" 2>&1
}
launch z --database "host=$T/db user=sortie dbname=sortie" --state-dir "$T/z.state"
stop_pid "$server_pid"
forget "role = 'admin'"
launch z --database "host=$T/db user=sortie dbname=sortie" --state-dir "$T/z.state"
sock=$T/z token=$(cat "$T/z.state/admin-token")
call GET /api/v1/whoami
is "$status" 200 "a first start that was ended goes on where it was"
forget true
exits 1 "nor where somebody is just making a new one" timeout 30 \
	sortied --database "host=$T/db user=sortie dbname=sortie" \
	--listen "unix:$T/y" --state-dir "$T/y.state"
like "$said" "*new cluster*" "and says why, too"
is "$(cat "$T/y.state/admin-token")" precious "whatever it is, it keeps its tokens"
stop_pid "$server_pid"
sock=$T/x token=$right_token
kill -INT "$database_pid"
wait_until 10 gone "$database_pid"
rm -rf "$T/db"

behind "$right"
within 15 "its own is back" ready 200
tell "$T/go"
within 15 "the job ends" job_is "$mine" finished
is "$(field "$mine" '"\(.attempts)"') $(output "$mine")" "1 done" \
	"as its first run"
finish
