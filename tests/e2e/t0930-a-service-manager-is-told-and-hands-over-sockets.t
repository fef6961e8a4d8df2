#!/bin/sh
# Sockets passed as systemd does it, and what a manager is told.
. "${0%/*}/lib.sh"

unpack_template "$T"
"$helper" notified "$T/notify" >"$T/told" 2>"$T/notified.out" &
started $! other
within 5 "somebody listens" test -S "$T/notify"
NOTIFY_SOCKET=$T/notify "$helper" activate "$T/passed" sortied \
	--embedded "$state" >"$T/server.out" 2>&1 &
server_pid=$!
started $server_pid server
within 30 "it serves at the socket it was handed" answers "$T/passed"
within 5 "and says that it is ready" grep -q READY=1 "$T/told"
use_server "$T/passed" "$state"
start_pilot --slots 1
exits 0 "a job runs" sortie job run -- true
stop_pid "$pilot_pid"
kill -HUP "$server_pid"
within 10 "a reload is told" grep -q RELOADING=1 "$T/told"
audited=
ok "it ends" stop_server
ok "which is told, too" grep -q STOPPING=1 "$T/told"
ok "the socket stays, it is not its own" test -S "$T/passed"
finish
