#!/bin/sh
# Of two servers one is stopped: its pilots are adopted by the other, none is
# lost; when it goes on it finds itself given up and begins anew.
. "${0%/*}/lib.sh"

start_database
for name in a b; do
	launch $name --database "$database" --state-dir "$T/$name.state" \
		--blob-dir "$T/blobs" --lease 6 --heartbeat 2
	eval "${name}_pid=$server_pid"
	[ $name = b ] || use_server "$T/a" "$T/a.state"
done
SORTIE_URL=unix:$T/b
mkfifo "$T/go"
start_pilot --slots 1 --url "unix:$T/b" --url "unix:$T/a"
submit "{\"shell\":\"read x <$T/go; echo done\"}"
within 10 "a job runs at a pilot of one server" job_is "$job" running
kill -STOP "$b_pid"
adopted()
{
	[ "$(query 'SELECT count(*) FROM sortie.server')" = 1 ] &&
		[ "$(query 'SELECT count(*) FROM sortie.pilot_room r
			JOIN sortie.server s USING (server)')" = 1 ]
}
within 25 "that is stopped, the other adopts its pilots" adopted
tell "$T/go"
within 40 "the end arrives there" job_is "$job" finished
is "$(field "$job" '"\(.attempts) \(.runs[0].state)"')" "1 finished" \
	"as the first run"
is "$(query "SELECT count(*) FROM sortie.event
	WHERE kind IN ('pilot lost', 'revived')")" 0 "nobody was lost"
kill -CONT "$b_pid"
within 20 "the stopped one goes on" \
	grep -q 'given up by another; it goes on' "$T/server-b.out"
submit '{"argv":["true"],"replicas":20}'
within 20 "both work" counts finished 21
finish
