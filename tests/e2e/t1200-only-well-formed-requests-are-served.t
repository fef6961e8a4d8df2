#!/bin/sh
# Whatever two programs could read in two ways is refused, in JSON, and ends
# its connection: nobody can hide a request in another one. The outcome does
# not depend on how the bytes are cut.
. "${0%/*}/lib.sh"
. "$here/lib-raw.sh"

start_server
n_before=$(get /api/v1/jobs | jq '.items | length')
raw "unix:$sock" shapes waiting
is "$(get '/api/v1/jobs?page_size=1000' | jq '.items | length')" \
	$((n_before + 7)) "the good ones, and only they, made jobs"
ok "the server is the same as before" alive "$server_pid"
finish
