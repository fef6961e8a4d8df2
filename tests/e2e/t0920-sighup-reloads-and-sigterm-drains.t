#!/bin/sh
# SIGHUP takes what can be changed while it runs; SIGTERM answers who waits
# and ends within its time.
. "${0%/*}/lib.sh"

unpack_template "$T"
printf 'embedded = "%s";\nlisten = ["unix:%s"];\nlog-file = "%s";\ndefault-timeout = 100;\n' \
	"$state" "$T/s" "$T/server-a.log" >"$T/conf"
sortied --config "$T/conf" >"$T/server.out" 2>&1 &
server_pid=$!
started $server_pid server
within 30 "it starts from a file" answers "$T/s"
use_server "$T/s" "$state"
fake_pilot p 10
submit '{"argv":["true"]}'
claim 1
is "$(of '.grants[0].timeout_s')" 100 "with the file's settings"
mv "$T/server-a.log" "$T/server-old.log"
sed -i 's/100/200/' "$T/conf"
kill -HUP "$server_pid"
within 10 "SIGHUP opens the log anew" test -s "$T/server-a.log"
new_timeout()
{
	submit '{"argv":["true"]}'
	claim 1
	[ "$(of '.grants[0].timeout_s')" = 200 ]
}
within 10 "and takes what can change" new_timeout
echo 'nonsense' >>"$T/conf"
kill -HUP "$server_pid"
within 10 "a wrong file is told" grep -qi 'nonsense\|syntax\|conf' "$T/server-a.log"
ok "and changes nothing" answers "$T/s"

curl -s --unix-socket "$sock" -H "Authorization: Bearer $token" -o "$T/waited" \
	"http://s/api/v1/jobs/1?wait=60" &
waiter=$!
started $waiter other
"$helper" pause 200
kill "$server_pid"
within 15 "SIGTERM ends it" gone "$server_pid"
within 5 "who waits is answered" gone $waiter
like "$(cat "$T/waited")" "{*" "with an answer"
start_server
is "$(field 1 .number)" 1 "nothing is lost"
finish
