#!/bin/bash
# What becomes of runs and jobs, one case after the other: fences, revival,
# budgets, keys, gates, limits, output.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$abs_top_srcdir/tests/db/lib.sh"
db_start

# Ends whatever a case has left.
clear() {
	sql "SELECT sortie.job_cancel_1(0, NULL, '{}', (SELECT array_agg(number)
		FROM sortie.job), false); SELECT t.expire()" >/dev/null
}

# granted JOBS DEFINITION: a pilot P with so many runs of jobs J, J + 1, ...
granted() {
	clear
	J=$(sql "SELECT t.submit(1, $1, '{}', 0, '${2:-{\}}')")
	P=$(sql "SELECT t.pilot(10)")
	sql "SELECT t.claim($P, 1, $1)" >/dev/null
	R=$(sql "SELECT t.run($J)")
}
state() {
	sql "SELECT t.state($J)"
}
ends() {
	sql "SELECT t.ends($P, $J, $R, '$1')"
}

# Messages that come twice, late or from the wrong one
granted 2
R2=$(sql "SELECT t.run($J + 1)")
is "$(sql "SELECT t.ends($P, $J, $R2, 'finished')")" x \
	"an end with the run of another job is stale"
is "$(sql "SELECT t.ends(t.pilot(1), $J, $R, 'finished')")" x \
	"an end from another pilot is stale"
is "$(sql "SELECT count(*) FROM sortie.event WHERE kind = 'refused'")" 2 \
	"refusals are recorded"
is "$(sql "SELECT string_agg(what::text, '') FROM t.report(2, $P, '{}', '{}',
	ARRAY[$J, $J], ARRAY[$R, $R], '{finished,failed}') WHERE what = 'E'")" \
	EE "the same end twice in a batch is told twice"
is "$(sql "SELECT count(*) FROM sortie.run WHERE number = $J")" 1 \
	"and counted once"
is "$(ends failed)" E "a repeated end is acknowledged"
is "$(state)" finished "and changes nothing"
is "$(sql "SELECT t.starts($P, $J, $R)")" S "so is a start after the end"
is_sound "repeated messages"

# Lost runs
granted 1
sql "SELECT t.expire()" >/dev/null
is "$(state)" defined "a run whose lease is over gives its job back"
is "$(sql "SELECT t.starts($P, $J, $R)")" S "its pilot's start revives it"
is "$(state)" running "as running"
is_sound "revival by a start"
sql "SELECT t.expire()" >/dev/null
is "$(ends finished)" E "its end revives it too"
is "$(state)" finished "and counts"
is "$(sql "SELECT string_agg(attempt || state::text, ',') FROM sortie.run
	WHERE number = $J")" 1finished "as the same run"
granted 1
sql "SELECT t.expire()" >/dev/null
sql "SELECT t.report(2, $P, '{}', '{}', '{}', '{}', '{}', ARRAY[$J], ARRAY[$R])" \
	>/dev/null
is "$(state)" dispatched "a heartbeat revives what it lists"
sql "SELECT t.expire()" >/dev/null
sql "SELECT t.claim(t.pilot(5), 1)" >/dev/null
is "$(ends finished)" x "a run whose job was taken by another is stale"
is_sound "a job that was taken"

granted 1
sql "SELECT t.expire(); SELECT sortie.job_cancel_1(0, NULL, '{}', '{$J}', false)" \
	>/dev/null
is "$(ends finished)" x "a run whose job was cancelled meanwhile is stale"
is "$(state)" cancelled "and the job stays cancelled"
granted 1
sql "SELECT t.expire(); SELECT sortie.job_hold_1(0, NULL, '{}', '{$J}')" \
	>/dev/null
is "$(ends finished)" E "a run whose job was held meanwhile is revived"
is "$(state)" finished "and ends it"
is_sound "revival of a held job"
granted 2
sql "SELECT t.expire(); SELECT sortie.project_set_1(0, 'default', 0, true, NULL,
	false)" >/dev/null
is "$(state)" waiting "a maximum of none sends it behind the gate"
is "$(ends finished)" E "where a run is revived from"
sql "SELECT t.starts($P, $J + 1, (SELECT run FROM sortie.run
	WHERE number = $J + 1))" >/dev/null
is "$(sql "SELECT admitted FROM sortie.project WHERE name = 'default'")" 1 \
	"and counted by it while it lives"
is_sound "revival from behind a gate"
sql "SELECT sortie.project_set_1(0, 'default', NULL, true, NULL, false)" \
	>/dev/null

granted 1
for i in 1 2 3 4; do
	sql "SELECT t.expire(); SELECT t.claim(t.pilot(5), 1)" >/dev/null
done
is "$(state)" lost "the fourth loss ends the job"
is "$(ends finished)" x "after which the first run is stale"
sql "SELECT sortie.job_retry_1(0, NULL, '{}', '{$J}', false)" >/dev/null
sql "SELECT t.claim(t.pilot(5), 1); SELECT t.expire()" >/dev/null
is "$(state)" defined "a retry by hand may lose three runs again"
is_sound "losses"
sql "SELECT sortie.job_cancel_1(0, NULL, '{}', '{$J}', false)" >/dev/null

granted 1
S=$(sql "SELECT t.pilot(5, 100, 1000, '', '{}', $P)")
is "$(sql "SELECT t.ends($S, $J, $R, 'finished')")" E \
	"a successor tells its predecessor's ends"
granted 2
S=$(sql "SELECT t.pilot(5, 100, 1000, '', '{}', $P)")
sql "SELECT t.ends($S, $J, $R, 'finished')" >/dev/null
is "$(sql "SELECT t.state($J + 1)")" defined \
	"and what it does not tell is lost at once"
is_sound "successors"
sql "SELECT sortie.job_cancel_1(0, NULL, '{}', '{$((J + 1))}', false)" >/dev/null

# Budgets
granted 1 '{"retries": 2, "retry_delay": 10}'
P1=$P
delays=
for i in 1 2; do
	sql "SELECT t.ends($P1, $J, t.run($J), 'failed')" >/dev/null
	delays="$delays $(sql "SELECT round(extract(epoch FROM due - now()))
		FROM sortie.waiting WHERE number = $J")"
	sql "UPDATE sortie.waiting SET due = now();
		SELECT sortie.due_1(6, 10), t.claim($P1, $i + 1)" >/dev/null
	sql "SELECT t.claim($P1, $i + 10)" >/dev/null
done
is "$delays" " 10 20" "the delay before a retry doubles"
sql "SELECT t.ends($P1, $J, t.run($J), 'failed')" >/dev/null
is "$(state)" failed "the third failure of two retries ends the job"
granted 1 '{"retries": 5}'
sql "SELECT sortie.job_cancel_1(0, NULL, '{}', '{$J}', false)" >/dev/null
ends failed >/dev/null
is "$(state)" cancelled "a cancelled run is not tried again"
granted 1
sql "SELECT sortie.job_cancel_1(0, NULL, '{}', '{$J}', true)" >/dev/null
ends cancelled >/dev/null
is "$(sql "SELECT count(*) FROM sortie.job WHERE number = $J")" 0 \
	"a job deleted while it runs goes when it has ended"
granted 1 '{"retries": 3}'
sql "UPDATE sortie.live SET attempt = 32767 WHERE number = $J" >/dev/null
is "$(ends returned)" E "the last attempt that can be counted"
is "$(state)" lost "is the last"
sql "SELECT sortie.job_delete_1(0, NULL, '{}', '{$J}')" >/dev/null
granted 1
sql "SELECT t.starts($P, $J, $R)" >/dev/null
for i in $(seq 2 20); do
	sql "SELECT t.ends($P, $J, t.run($J), 'returned')" >/dev/null
	sql "SELECT t.claim($P, $i)" >/dev/null
	sql "SELECT t.starts($P, $J, t.run($J))" >/dev/null
done
sql "SELECT t.ends($P, $J, t.run($J), 'returned')" >/dev/null
is "$(sql "SELECT state || ' ' || reason FROM sortie.ended WHERE number = $J")" \
	"lost drained 20 times" "a job drained 20 times is lost"
is_sound "budgets"

# Priorities at their edges
J=$(sql "SELECT t.submit(1, 1, '{}', -2147483648)")
K=$(sql "SELECT t.submit(1, 1, '{}', 2147483647)")
L=$(sql "SELECT t.submit(1, 1, '{}', 0)")
P=$(sql "SELECT t.pilot(1)")
is "$(sql "SELECT t.claim($P, 1, 1)")" "$K" "the highest priority is first"
sql "SELECT sortie.job_adjust_1(0, NULL, '{}', '{$J,$L}',
	'{\"priority\": -2147483648}')" >/dev/null
sql "SELECT sortie.job_adjust_1(0, NULL, '{}', '{$J}',
	'{\"priority\": 2147483647}')" >/dev/null
sql "SELECT sortie.job_adjust_1(0, NULL, '{}', '{$K}', '{\"priority\": 3}')" \
	>/dev/null
P=$(sql "SELECT t.pilot(1)")
is "$(sql "SELECT t.claim($P, 1, 1)")" "$J" "adjusting moves a job in the line"
is_sound "priorities"
sql "SELECT sortie.job_cancel_1(0, NULL, '{}', '{$L}', false)" >/dev/null

# Limits
is "$(sql "SELECT sortie.class_ensure_1(1, '{\"limits\": {\"no\": 1}}', 0)" 2>&1 |
	grep -c 'no limit "no": an admin makes it (sortie limit set no N)$')" 1 \
	"an unknown limit is refused, with what to do"
is "$(sql "SELECT sortie.class_ensure_1(1, '{\"limits\": {\"jobtype:a\": 1}}', 0)" \
	2>&1 | grep -c 'counts all jobs of a jobtype')" 1 \
	"so is one that is a jobtype's maximum"
sql "SELECT sortie.limit_set_1('tool', 1)" >/dev/null
J=$(sql "SELECT t.submit(1, 2, '{\"limits\": {\"tool\": 1}}')")
is "$(sql "SELECT sortie.limit_delete_1('tool')")" f \
	"a limit that a queued job names stays"
P=$(sql "SELECT t.pilot(5)")
is "$(sql "SELECT t.claim($P, 1)")" "$J" "a full limit holds others back"
sql "SELECT t.expire(); SELECT t.claim(t.pilot(5), 1)" >/dev/null
sql "SELECT sortie.job_cancel_1(0, NULL, '{}', '{$((J + 1))}', false)" >/dev/null
R=$(sql "SELECT t.run($J)") P=$(sql "SELECT pilot FROM sortie.live
	WHERE number = $J")
ends finished >/dev/null
is "$(sql "SELECT sortie.limit_delete_1('tool')")" t "nobody names it: it goes"
is "$(sql "SELECT sortie.class_ensure_1(1, '{\"limits\": {\"tool\": 1}}', 0)" 2>&1 |
	grep -c 'no limit "tool"')" 1 "and is unknown then"
sql "SELECT sortie.limit_set_1('tool', 0);
	SELECT t.submit(1, 1, '{\"limits\": {\"tool\": 1}}')" >/dev/null
is "$(sql "SELECT t.claim(t.pilot(5), 1)")" "" \
	"the next limit of that name binds the same jobs"
sql "SELECT t.submit(1, 2, '{\"jobtype\": \"x\"}')" >/dev/null
sql "SELECT t.claim(t.pilot(1), 1)" >/dev/null
sql "SELECT sortie.limit_set_1('jobtype:x', 1)" >/dev/null
is "$(sql "SELECT t.claim(t.pilot(1), 1)")" "" \
	"a jobtype's maximum binds jobs that were there before"
is_sound "limits"

# Memory: jobs and pilots are rounded by the same rule
is "$(sql "SELECT string_agg(sortie.memory_1(b)::text, ' ')
	FROM unnest('{0,1,63,64,127,129,1025,2047,1152921504606846975}'::bigint[])
	AS b")" "0 1 63 64 127 130 1040 2048 1152921504606846976" \
	"memory is rounded up to 1/64 of a power of two"
clear
J=$(sql "SELECT t.submit(1, 2, '{\"memory\": 24100}')")
is "$(sql "SELECT t.claim(t.pilot(5, 1000, 24063), 1)")" "" \
	"a pilot of less memory than a job's class gets none"
sql "SELECT t.expire()" >/dev/null
clear
J=$(sql "SELECT t.submit(1, 2, jsonb_build_object('memory',
	sortie.memory_1(24070)))")
P=$(sql "SELECT t.pilot(5, 1000, 24070)")
is "$(sql "SELECT string_agg(number::text, ',') FROM sortie.claim_1(1, 1, 77,
	ARRAY[$P::bigint], '{1}', '{5}', '{1000}', '{24070}', '{0}', '{1000}')
	WHERE what = 'g'")" "$J" "a job that wants all of a pilot's memory gets it"
is "$(sql "SELECT t.claim($P, 2)")" "" "and is alone there"
is_sound "memory"
clear

# Keys
keyed() {
	sql "SELECT sortie.submit_keyed_1($1, '$2', 1, 7274496, -5, 1,
	ARRAY[c.project_id], ARRAY[1, 1], ARRAY[1, 1],
	ARRAY[c.class_id, c.class_id], ARRAY[c.kind_id, c.kind_id], '{0,0}',
	'{f,f}', ARRAY[NULL, NULL]::timestamptz[], '{a,b}', ARRAY['$4', '{}'],
	ARRAY[NULL, NULL]::text[], ARRAY[NULL, NULL]::text[], '$3')
	FROM sortie.class_ensure_1(1, '{}', 0) AS c" 2>&1
}
is "$(keyed NULL x '{k1,k2}' '{"payload": "a"}' | sed 's/.*"count" : \([0-9]*\).*/\1/')" \
	2 "two keys make two jobs"
n=$(sql "SELECT count(*) FROM sortie.job")
keyed NULL x '{k1,k2}' '{ "payload":"a" }' >/dev/null
is "$(sql "SELECT count(*) FROM sortie.job")" "$n" "again they make none"
is "$(keyed NULL x '{k1,k3}' '{"payload": "b"}' | grep DETAIL |
	sed 's/.*differs" : //')" '["payload"]}' \
	"with another definition they are refused, and what differs is named"
is "$(keyed NULL x '{k1,k3}' '{"payload": "b"}' |
	grep -c 'another definition: payload differs$')" 1 "also in the sentence"
is "$(keyed NULL x '{k4,k4}' '{}' | grep -c 'stands twice')" 1 \
	"a key that stands twice is refused"
is "$(sql "SELECT count(*) FROM sortie.job_key WHERE key IN ('k3', 'k4')")" 0 \
	"and leaves nothing"
a=$(keyed "'i1'" x '{NULL,NULL}' '{}') b=$(keyed "'i1'" x '{NULL,NULL}' '{}')
is "$b" "$a" "the same Idempotency-Key gets the same answer"
is "$(keyed "'i1'" y '{NULL,NULL}' '{}' | grep -c 'another body')" 1 \
	"with another body it is refused"
is_sound "keys"

# Classes that sleep
sql "SELECT sortie.job_cancel_1(0, NULL, '{}', (SELECT array_agg(number)
	FROM sortie.queue), false)" >/dev/null
J=$(sql "SELECT t.submit(1, 1, '{\"site\": \"far\"}')")
sql "SELECT sortie.job_cancel_1(0, NULL, '{}', '{$J}', false);
	UPDATE sortie.class SET used_at = now() - interval '2 hours';
	SELECT sortie.class_sleep_1(100)" >/dev/null
is "$(sql "SELECT c.active FROM sortie.class c JOIN sortie.job USING (class_id)
	WHERE number = $J")" f "a class that nobody can take does not stay awake"
sql "SELECT sortie.job_retry_1(0, NULL, '{}', '{$J}', false)" >/dev/null
is "$(sql "SELECT t.claim(t.pilot(1, 1, 0, 'far'), 1)")" "$J" \
	"a retry wakes it"
is_sound "sleep"

# Output
granted 1
put() {
	sql "SELECT what, has FROM sortie.output_put_1(100, 100, '{$P}', '{$J}',
	'{$R}', '{0}', '{$1}', '{$2}', ARRAY[convert_to(repeat('x', $2),
	'UTF8')], ARRAY[${3:-NULL}]::bytea[])"
}
is "$(put 0 10)" "+|10" "a first piece"
is "$(put 0 10)" "+|10" "again"
is "$(put 0 4)" "+|10" "again, shorter"
is "$(put 0 14)" "o|10" "again, longer"
is "$(put 50 10)" "o|10" "a gap in the head is refused"
is "$(put 10 90)" "+|100" "the head is full"
is "$(put 150 0)" "o|100" "nothing, behind a gap"
is "$(put 150 60 "'\\xaa'")" "+|210" "a gap behind the head"
is "$(put 210 60)" "+|270" "more"
is "$(put 270 60)" "+|330" "the tail moves"
is "$(sql "SELECT string_agg(at::text, ',' ORDER BY at) FROM sortie.output
	WHERE number = $J")" 0,10,210,270 "and what lies before it goes"
is "$(sql "SELECT count(*) FROM sortie.blob_use WHERE number = $J")" 0 \
	"with its blob"
is "$(sql "SELECT what FROM sortie.output_put_1(100, 100, '{$P}', '{$J}', '{7}',
	'{0}', '{0}', '{1}', '{a}', ARRAY[NULL]::bytea[])")" g \
	"output of another run is refused"

# Room for big jobs
clear
P=$(sql "SELECT t.pilot(1, 1, 4000)")
sql "SELECT t.submit(1, 2, '{\"memory\":1000}'), t.claim($P, 1)" >/dev/null
sql "SELECT t.claim($P, 1); UPDATE sortie.job SET submitted_at = submitted_at
	- interval '90 s'; UPDATE sortie.live SET granted_at = now() - interval '1h'" >/dev/null
is "$(sql "SELECT sortie.reserve_1(60)")" 0 \
	"who is next in line was not passed over, however long it waits"
K=$(sql "SELECT t.submit(1, 1, '{}')")
is "$(sql "SELECT t.claim(t.pilot(1, 1, 0), 1), sortie.reserve_1(60)")" "$K|0" \
	"nor by what runs where it does not fit"
clear
P=$(sql "SELECT t.pilot(4, 4)")
J=$(sql "SELECT t.submit(1, 3, '{}')")
sql "SELECT t.claim($P, 1)" >/dev/null
B=$(sql "SELECT t.submit(1, 1, '{\"cores\":4}')")
K=$(sql "SELECT t.submit(1, 9, '{}')")
is "$(sql "SELECT t.claim($P, 2)")" "$K" "what fits goes past a big job"
sql "SELECT sortie.reserve_1(3600)" >/dev/null
sql "SELECT t.ends($P, $J, t.run($J), 'finished')" >/dev/null
is "$(sql "SELECT t.claim($P, 3)")" "$((K + 1))" "until that has waited long"
sql "UPDATE sortie.job SET submitted_at = submitted_at - interval '90 s'
	WHERE number >= $B" >/dev/null
last() { sql "UPDATE sortie.live SET granted_at = now() - interval '$1'"; }
last 1h
is "$(sql "SELECT sortie.reserve_1(60)")" 0 \
	"but not as long as those behind it"
sql "UPDATE sortie.job SET submitted_at = submitted_at + interval '30 s'
	WHERE number >= $K" >/dev/null
is "$(sql "SELECT sortie.reserve_1(60)")" 0 "nor as those that came soon after it"
last 4s
is "$(sql "SELECT sortie.reserve_1(60)")" 0 "long enough for the runs there are"
last 2s
is "$(sql "SELECT sortie.reserve_1(60)")" 1 "of which ten would have come after each other"
sql "UPDATE sortie.pilot_room SET reserved_place = NULL, reserved_turn = NULL,
	reserved_number = NULL"
last 1h
sql "UPDATE sortie.job SET submitted_at = submitted_at + interval '40 s'
	WHERE number >= $K" >/dev/null
is "$(sql "SELECT sortie.reserve_1(60)")" 1 \
	"it is passed over by those that came later"
for n in $((J + 1)) $((J + 2)) "$K"; do
	sql "SELECT t.ends($P, $n, t.run($n), 'finished')" >/dev/null
done
is "$(sql "SELECT t.claim($P, 4)")" "" \
	"then its pilot gets nothing that comes behind"
is "$(sql "SELECT t.claim(t.pilot(1, 1), 1)")" "$((K + 2))" "others do"
H=$(sql "SELECT t.submit(1, 1, '{}', 1)")
is "$(sql "SELECT t.claim($P, 5)")" "$H" "and what comes before it goes on"
for n in "$H" $((K + 1)); do
	sql "SELECT t.ends($P, $n, t.run($n), 'finished')" >/dev/null
done
is "$(sql "SELECT t.claim($P, 6)")" "$B" "when all has ended the big job runs"
sql "SELECT sortie.reserve_1(0)" >/dev/null
is "$(sql "SELECT count(*) FROM sortie.pilot_room
	WHERE reserved_number IS NOT NULL")" 0 "and nobody is kept any more"
is_sound "room for big jobs"

# Nothing at all
is "$(sql "SELECT count(*) FROM sortie.claim_1(1, 1, 1, '{}', '{}', '{}', '{}',
	'{}', '{}', '{}')")" 0 "no claims"
is "$(sql "SELECT count(*) FROM t.report(1, $P, '{}', '{}', '{}', '{}', '{}')")" \
	0 "an empty report"
is "$(sql "SELECT count(*) FROM sortie.job_cancel_1(0, NULL, '{}', '{}', true)")" \
	0 "no jobs"
is_sound "everything"
finish
