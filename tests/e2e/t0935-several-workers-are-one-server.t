#!/bin/sh
# workers = 2: two processes behind one socket, each a server of its own in the
# database; one that dies is replaced, and none outlives the one that keeps
# them.
. "${0%/*}/lib.sh"

workers()
{
	for pid in $(children "$server_pid"); do
		case $(cat "/proc/$pid/comm" 2>/dev/null) in
		sortied) echo "$pid" ;;
		esac
	done
}

n_workers_is()
{
	[ "$(workers | wc -l)" = "$1" ]
}

# Requests until both have answered one.
both_answer()
{
	get /metrics | sed -n 's/^sortie_http_requests_total{worker="\(.*\)"} .*/\1/p' \
		>>"$T/answered"
	[ "$(sort -u "$T/answered" | tr '\n' ' ')" = "1 2 " ]
}

start_server --workers 2 --lease 6 --heartbeat 2
within 10 "two processes serve" n_workers_is 2
within 20 "both answer at one socket" both_answer
is "$(query 'SELECT count(*) FROM sortie.server
	WHERE started_at > pg_postmaster_start_time()')" 2 \
	"each has a row of its own"
is "$(get /metrics | grep -v '^#' | grep -cv 'worker="[12]"')" 0 \
	"each figure tells whose it is"

for n in 1 2 3 4; do
	start_pilot --slots 2
done
submit "{\"shell\":\"echo \$SORTIE_JOB_NUMBER >>$T/ran\",\"replicas\":200}"
within 60 "jobs submitted at one run" counts finished 200
is "$(sort -n "$T/ran" | uniq -d)" "" "none twice"

# Order with two askers, which meet in different processes or do not.
for pid in $(sed -n 's/^\([0-9]*\) pilot.*/\1/p' "$T/started"); do
	stop_pid "$pid"
done
submit '{"argv":["true"],"replicas":40,"priority":5}'
submit '{"argv":["true"],"replicas":40,"priority":9}'
high=$job
fake_pilot left 40
left_id=$pilot_id left_token=$pilot_token
fake_pilot right 40
pids=
for where in left right; do
	id=$pilot_id tok=$pilot_token
	[ $where = left ] && id=$left_id tok=$left_token
	curl -s --unix-socket "$sock" -H "Authorization: Bearer $tok" \
		-H 'Content-Type: application/json' -o "$T/got.$where" \
		-d '{"request":1,"free":{"slots":30,"cores":30,"memory":0},"wait":0}' \
		"http://s/api/v1/pilots/$id/claim" &
	pids="$pids $!"
done
wait $pids
is "$(jq -s '[.[].grants[].job] | unique | length' "$T/got.left" "$T/got.right")" \
	60 "no job is granted twice"
is "$(jq -s "[.[].grants[].job | select(. >= $high)] | length" "$T/got.left" "$T/got.right")" \
	40 "and all that come first are"
for p in $left_id $pilot_id; do
	call POST /api/v1/pilots/actions \
		"{\"action\":\"kill\",\"pilots\":\"$p\"}"
done

# A worker that dies.
start_pilot --slots 2
start_pilot --slots 2
mkfifo "$T/go"
submit "{\"shell\":\"read x <$T/go; echo done\",\"jobtype\":\"long\",\"priority\":100}"
long=$job
within 15 "a job runs" job_is "$long" running
victim=$(workers | head -n 1)
kill -9 "$victim"
within 15 "a worker that was killed is replaced" n_workers_is 2
: >"$T/answered"
within 20 "both answer again" both_answer
tell "$T/go"
within 20 "the job ends" job_is "$long" finished
is "$(field "$long" .attempts)" 1 "as its first run"
within 60 "and all others" counts finished 281

kill -HUP "$server_pid"
within 10 "a reload reaches both" \
	sh -c "[ \$(grep -c 'sortied [12] info: reloaded' '$T/server-s.out') = 2 ]"

# The keeper dies: so do they, and the next one finds everything.
before=$(workers)
kill -9 "$server_pid"
for pid in $before; do
	within 5 "worker $pid does not outlive it" gone "$pid"
done
start_server --workers 2 --lease 6 --heartbeat 2
submit '{"argv":["true"]}'
within 30 "the next one goes on" job_is "$job" finished
nok "more workers than the embedded database has connections for" \
	sortied --embedded "$state" --workers 20 --check-config
finish
