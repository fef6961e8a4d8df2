#!/bin/sh
# Clients that are slow, silent or too many are answered or closed, and what
# they took comes back.
. "${0%/*}/lib.sh"
. "$here/lib-raw.sh"

start_server
parts='late many files'
# The server lets nobody but root look at it.
if ! ls "/proc/$server_pid/fd" >/dev/null 2>&1; then
	parts=late
	skip "many connections, and none left" \
		"an ordinary user cannot count the server's descriptors"
fi
# shellcheck disable=SC2086
raw "unix:$sock" $parts
ok "the server is the same as before" alive "$server_pid"
finish
