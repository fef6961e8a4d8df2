#!/bin/sh
# A server is killed between the commit of a grant and its reply: the pilot's
# repeated claim brings that run, at another server, and no second one.
. "${0%/*}/lib.sh"
. "$here/lib-wire.sh"

start_database
mkdir "$T/held"
start_wire "$T/held/.s.PGSQL.5432" "$T/db/.s.PGSQL.5432"
launch a --database "host=$T/held user=sortie dbname=postgres" \
	--state-dir "$T/a.state" --blob-dir "$T/blobs"
use_server "$T/a" "$T/a.state"
a_pid=$server_pid
launch b --database "$database" --state-dir "$T/b.state" --blob-dir "$T/blobs"
fake_pilot p 2
# What a server does once only, it has done after a first claim.
claim 1
submit '{"argv":["true"],"replicas":5}'
wire hold down
curl -s --unix-socket "$T/a" -H "Authorization: Bearer $pilot_token" \
	-H 'Content-Type: application/json' -o "$T/never" \
	-d '{"request":2,"free":{"slots":1,"cores":1,"memory":0},"wait":0}' \
	"http://s/api/v1/pilots/$pilot_id/claim" 2>"$T/curl.out" &
started $! other
granted()
{
	[ "$(query 'SELECT count(*) FROM sortie.live')" = "${1:-1}" ]
}
within 10 "the grant is committed" granted
kill -9 "$a_pid"
wait_until 5 gone "$a_pid"
is "$(cat "$T/never" 2>/dev/null)" "" "and the pilot has heard nothing of it"
run=$(query "SELECT lpad(to_hex(run), 16, '0') FROM sortie.live")
sock=$T/b audited=$T/b
claim 1 0 2
is "$(of '[.grants[].run] | join(" ")')" "$run" \
	"repeated at another server, the claim brings that run"
claim 1 0 2
is "$(of '[.grants[].run] | join(" ")')" "$run" "as often as it is repeated"
ok "nothing else was granted" granted 1
job=$(query 'SELECT number FROM sortie.live')
end_run "$run" "$job"
is "$(field "$job" '"\(.state) \(.attempts)"')" "finished 1" "it ends, once"
finish
