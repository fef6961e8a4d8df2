#!/bin/sh
# Two servers on one database: no order is broken, no job is granted twice,
# and the pilots of one that stands still are heard by the other.
. "${0%/*}/lib.sh"

start_database
launch a --database "$database" --state-dir "$T/a.state" --blob-dir "$T/blobs" \
	--lease 6 --heartbeat 2
a_pid=$server_pid
use_server "$T/a" "$T/a.state"
launch b --database "$database" --state-dir "$T/b.state" --blob-dir "$T/blobs" \
	--lease 6 --heartbeat 2
b_pid=$server_pid
start_pilot --slots 2
first_pilot=$pilot_pid
sock=$T/b
call GET /api/v1/whoami
is "$status" 200 "a token is good at both"
submit '{"argv":["true"],"site":"nowhere"}'
sock=$T/a
is "$(field "$job" .state)" defined "a job of one is known to the other"
call POST /api/v1/jobs/actions "{\"action\":\"cancel\",\"jobs\":\"$job\"}"

SORTIE_URL=unix:$T/b
start_pilot --slots 2
sock=$T/a
# Long enough that a server finds them by itself when no hint reaches it.
submit "{\"shell\":\"echo \$SORTIE_JOB_NUMBER >>$T/ran; exec sleep 0.03\",\"replicas\":200}"
within 40 "jobs submitted at one run at pilots of both" counts finished 200
is "$(sort -n "$T/ran" | uniq -d)" "" "none ran twice"
both=$(get '/api/v1/jobs?page_size=1000' |
	jq -r '.items[] | select(.state == "finished") | .pilot.host' | sort -u | tr '\n' ' ')
is "$both" "p1 p2 " "both had some"

# I9 with two askers: one batch after the other, at either server.
stop_pid "$first_pilot" && stop_pid "$pilot_pid"
submit '{"argv":["true"],"replicas":40,"priority":5}'
low=$job
submit '{"argv":["true"],"replicas":40,"priority":9}'
high=$job
fake_pilot left 40
left_id=$pilot_id left_token=$pilot_token
fake_pilot right 40
for where in a b; do
	[ $where = a ] && id=$left_id tok=$left_token
	[ $where = b ] && id=$pilot_id tok=$pilot_token
	curl -s --unix-socket "$T/$where" -H "Authorization: Bearer $tok" \
		-H 'Content-Type: application/json' -o "$T/got.$where" \
		-d '{"request":1,"free":{"slots":30,"cores":30,"memory":0},"wait":0}' \
		"http://s/api/v1/pilots/$id/claim" &
	pids="${pids:-} $!"
done
wait $pids
is "$(cat "$T/got.a" "$T/got.b" | jq '.grants | length' | paste -sd+ | sed 's/+/ + /')" \
	"30 + 30" "two at once get what they ask for"
is "$(jq -s '[.[].grants[].job] | unique | length' "$T/got.a" "$T/got.b")" 60 \
	"no job twice"
is "$(jq -s "[.[].grants[].job | select(. >= $high)] | length" "$T/got.a" "$T/got.b")" \
	40 "and all that come first"

# One stands still with a pilot of its own.
SORTIE_URL=unix:$T/b
mkfifo "$T/go"
sock=$T/a
submit "{\"shell\":\"read x <$T/go; echo done\",\"jobtype\":\"long\",\"priority\":100}"
long=$job
launch_pilot --slots 1 --url "unix:$T/a" --jobtypes long
within 15 "a pilot that knows both servers runs a job" job_is "$long" running
kill -9 "$b_pid"
throughout 9 "with its server dead it is not lost" job_is "$long" running
tell "$T/go"
within 15 "and its end arrives" job_is "$long" finished
is "$(field "$long" .attempts)" 1 "as its first run"
finish
