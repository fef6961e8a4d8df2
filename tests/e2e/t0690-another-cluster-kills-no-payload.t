#!/bin/sh
# An empty database, a wrong one, an HTML page behind the address: the pilot
# keeps its payloads, takes nothing new, and goes on when its own is back.
. "${0%/*}/lib.sh"

start_server --lease 30
start_pilot --slots 2
mkfifo "$T/go"
submit "{\"shell\":\"echo \$\$ >$T/pid; read x <$T/go; echo done\"}"
within 10 "a job runs" job_is "$job" running
within 5 "its payload lives" test -s "$T/pid"
ok "the server ends" stop_server
mkdir "$T/wrong" && chmod 711 "$T/wrong"
launch s --embedded "$T/wrong/state"
right=$state right_token=$token
use_server "$T/s" "$T/wrong/state"
audited=
mine=$job
submit '{"argv":["true"]}'
# The pilot is the only one with a token that is not its.
asked()
{
	get /metrics | grep '^sortie_auth_refused_total' | grep -qv ' 0$'
}
within 30 "the pilot meets another cluster" asked
ok "its payload lives on" alive "$(cat "$T/pid")"
is "$(field "$job" .state)" defined "it takes nothing of the other one"
ok "the wrong one ends" stop_server
state=$right
start_server --lease 30
tell "$T/go"
within 30 "the end arrives at its own" job_is "$mine" finished
is "$(field "$mine" '"\(.attempts)"')" 1 "as the first run"
finish
