#!/bin/sh
# A server with a database of its own starts with one command in an empty
# directory, keeps its secrets to itself, and ends leaving nothing behind.
. "${0%/*}/lib.sh"

mkdir "$T/fresh" && chmod 711 "$T/fresh"
launch s --embedded "$T/fresh/state"
use_server "$T/s" "$T/fresh/state"
state=$T/fresh/state

call GET /healthz
is "$status $(of .status)" "200 ok" "it says that it serves"
call GET /readyz
is "$status $(of .database)" "200 true" "it says that its database works"
for name in admin-token join-token; do
	is "$(stat -c %a "$state/$name")" 600 "only its owner reads the $name"
done
like "$(cat "$state/admin-token")" 'st_*' "an admin token is made"
like "$(cat "$state/join-token")" 'sj_*' "a join token is made"
is "$(stat -c %a "$state/pg")" 700 "only its owner reads the database"
is "$(stat -c %a "$sock")" 600 "only its owner connects to the socket"
call GET /api/v1/whoami
is "$(of .role)" admin "the admin token is an admin's"
first=$(of .cluster)
call GET /api/v1/jobs
is "$status $(of '.items | length')" "200 0" "there are no jobs yet"

nok "a second server on the same directory is refused" \
	timeout 20 sortied --embedded "$state" --listen "unix:$T/s2"
postgres=$(head -n 1 "$state/pg/postmaster.pid")
ok "SIGTERM ends it" stop_server
ok "the database ends with it" gone "$postgres"
nok "the socket is gone" test -e "$sock"

start_server
call GET /api/v1/whoami
is "$(of .cluster)" "$first" "started again it is the same cluster"
finish
