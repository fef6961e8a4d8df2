#!/bin/sh
# SIGTERM and the order to drain: no new claims, payloads get their grace, the
# rest is handed back at no cost; kill makes runs lost at once.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 1 --grace 1
submit "{\"shell\":\"[ -e $T/once ] && exit 0; : >$T/once; exec sleep 1000\"}"
within 10 "a job runs" job_is "$job" running
kill "$pilot_pid"
within 15 "SIGTERM: after the grace it has left" pilot_is p1 stopped
is "$(field "$job" '"\(.state) \(.runs[0].state)"')" "defined returned" \
	"its run is handed back"
start_pilot --slots 1
within 10 "and runs again elsewhere" job_is "$job" finished

ok "it is sent away" stop_pid "$pilot_pid"
start_pilot --slots 1 --lifetime 4 --grace 1
submit "{\"shell\":\"[ -e $T/thrice ] && exit 0; : >$T/thrice; exec sleep 1000\"}"
within 10 "a job runs at a pilot that has not long to live" job_is "$job" running
within 10 "the pilot leaves in time" pilot_is "$pilot" stopped
is "$(field "$job" '"\(.state) \(.runs[0].state)"')" "defined returned" \
	"its run is handed back, too"
start_pilot --slots 1
within 10 "and runs again" job_is "$job" finished

submit '{"argv":["sleep","1"]}'
within 10 "a job runs" job_is "$job" running
ok "an order to drain" sortie pilot drain "$(pilot_number "$pilot")"
submit '{"argv":["true"],"name":"later"}'
within 20 "it finishes what it has and leaves" pilot_is "$pilot" stopped
is "$(field $((job - 1)) .state)" finished "its job ended well"
is "$(field "$job" .state)" defined "it took nothing new"
within 10 "its processes have ended" gone "$pilot_pid"

start_pilot --slots 1
within 10 "another pilot takes it" job_is "$job" finished
submit "{\"shell\":\"[ -e $T/twice ] && exit 0; : >$T/twice; echo \$\$ >$T/pid; exec sleep 1000\"}"
within 10 "a job runs" eval 'job_is "$job" running && test -s "$T/pid"'
ok "an order to kill, by host" sortie pilot kill --host "$pilot"
within 5 "the run is lost at once" \
	eval '[ "$(field "$job" ".runs[0].reason")" = "pilot killed" ]'
within 10 "its payload dies" gone "$(cat "$T/pid")"
within 10 "and so does the pilot" gone "$pilot_pid"
is "$(get "/api/v1/pilots?host=$pilot" | jq -r '.items[0].state')" killed \
	"it is remembered as killed"
start_pilot --slots 1
within 10 "the job runs again" job_is "$job" finished
exits 1 "a pilot that runs name is kept" sortie pilot delete --state killed
sortie purge --older 0 >/dev/null
exits 0 "when they are forgotten it can be, too" \
	sortie pilot delete --state killed
is "$(get "/api/v1/pilots?state=killed" | jq '.items | length')" 0 "and is"
finish
