#!/bin/sh
# An order for one run of a job never hits the next: not at the server, which
# forgets it with the run, nor at a pilot that hears it late.
. "${0%/*}/lib.sh"
. "$here/lib-wire.sh"

start_server --lease 30 --heartbeat 1
submit '{"argv":["true"]}'
fake_pilot one 1
claim 1
grant
call POST /api/v1/jobs/actions "{\"action\":\"cancel\",\"jobs\":\"$job\"}"
end_run "$run" "$job" cancelled 143
is "$(field "$job" .state)" cancelled "a run is cancelled"
call POST /api/v1/jobs/actions "{\"action\":\"retry\",\"jobs\":\"$job\"}"
old=$run
claim 1
grant
is "$(of '.grants[0].attempt')" 2 "tried again by hand, it has a second run"
talk POST /report "{\"live\":[{\"run\":\"$run\",\"job\":$job}]}"
is "$(of '.orders | length') $(of '.stale | length')" "0 0" \
	"the same pilot hears no order for that"
talk POST /report "{\"live\":[{\"run\":\"$old\",\"job\":$job}]}"
is "$(of '.stale[0]') $(of '.missing[0].run')" "$old $run" \
	"and of the first run that it is over"
end_run "$run" "$job"
is "$(field "$job" '"\(.state) \(.attempts)"')" "finished 2" \
	"the second one finishes"

# A real pilot, cut off on the way back, until the first run's order is old.
start_wire "$T/w" "$T/s"
SORTIE_URL=unix:$T/w
start_pilot --slots 1
submit "{\"shell\":\"echo \$SORTIE_RUN >>$T/ran; while [ ! -e $T/go ]; do sleep 0.1; done\"}"
within 10 "a job runs" job_is "$job" running
wire hold down
call POST /api/v1/jobs/actions "{\"action\":\"cancel\",\"jobs\":\"$job\"}"
ordered()
{
	[ "$(query "SELECT count(*) FROM sortie.live WHERE cancelling")" = 1 ]
}
within 5 "it is ordered to end while the pilot hears nothing" ordered
call POST /api/v1/pilots/actions "{\"action\":\"kill\",\"host\":\"$pilot\"}"
within 5 "its pilot is killed by hand" job_is "$job" cancelled
call POST /api/v1/jobs/actions "{\"action\":\"retry\",\"jobs\":\"$job\"}"
SORTIE_URL=unix:$T/s
start_pilot --slots 1
within 10 "its second run is at another pilot" job_is "$job" running
within 5 "with its payload" eval '[ "$(wc -l <"$T/ran")" = 2 ]'
second=$(tail -n 1 "$T/ran")
wire release
within 20 "the first pilot hears all that it was told and leaves" \
	gone "$(sed -n 's/^\([0-9]*\) pilot$/\1/p' "$T/started" | head -n 1)"
ok "the second run lives" job_is "$job" running
: >"$T/go"
within 10 "and finishes" job_is "$job" finished
is "$(query "SELECT lpad(to_hex(run), 16, '0') FROM sortie.run
	WHERE number = $job AND state = 'finished'")" "$second" "as that run"
finish
