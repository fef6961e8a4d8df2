#!/bin/sh
# Clients that are slow, silent or too many are answered or closed, and what
# they took comes back.
. "${0%/*}/lib.sh"
. "$here/lib-raw.sh"

start_server
raw "unix:$sock" late many files
ok "the server is the same as before" alive "$server_pid"
finish
