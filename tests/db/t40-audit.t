#!/bin/sh
# The audit names each breach that is made.
. "${0%/*}/session.sh"
start_world
submit 1 4 >/dev/null
submit 2 2 >/dev/null
pilot 1 true far 8 16 >/dev/null
claim 1 1 3 16 >/dev/null
end_run 1 finished 0 >/dev/null
audit_clean "at first"

# breach CHECK SQL CLAIM: the check speaks inside a transaction that is undone.
breach()
{
	got=$({
		echo "BEGIN; $2;"
		cat "$top/sql/stmt/audit_$1.sql"
		echo "; ROLLBACK;"
	} | run_psql -d t -f - 2>&1)
	like "$got" "?*" "$3"
}
breach job_place "INSERT INTO sortie.ended (number, kind_id, state, ended_at)
	VALUES (4, 1, 'failed', now())" "a job in two places"
breach job_place "DELETE FROM sortie.queue WHERE number = 4" "a job in none"
breach job_place "DELETE FROM sortie.job WHERE number = 4" "a queued number"
breach job_row "UPDATE sortie.queue SET place = place + 1 WHERE number = 4" \
	"another place in line than the priority's"
breach tally "UPDATE sortie.tally SET n = n + 1 WHERE state = 'defined'" \
	"a wrong counter"
breach limit "UPDATE sortie.lim SET used = used + 1" "a wrong use of a limit"
breach limit_known "DELETE FROM sortie.lim" "a limit that is gone"
breach pilot_room "UPDATE sortie.pilot_room SET used_cores = 1" \
	"a pilot's wrong room"
breach live_pilot "DELETE FROM sortie.pilot_room" "a live run without a pilot"
breach gate "UPDATE sortie.project SET max_running = 9" "a gate's wrong counter"
breach class_ready "DELETE FROM sortie.class_ready" "a class without its mark"
breach class_ready "UPDATE sortie.class SET active = false" "a sleeping class"
breach class_ready "INSERT INTO sortie.class_head SELECT class_id, 1, place,
	turn, number + 1 FROM sortie.queue" "a job before the head"
breach class_profile "UPDATE sortie.class SET profiles = '{}'" \
	"a class without its profiles"
breach run_attempt "UPDATE sortie.run SET attempt = 2" "a gap of attempts"
breach ended_run "UPDATE sortie.run SET state = 'failed'" \
	"a run that ended otherwise than its job"
breach replay "UPDATE sortie.run SET ended_at = granted_at - interval '1 s'" \
	"a run that ended before its grant"
breach orphan "INSERT INTO sortie.job_tag VALUES ('a', 'b', 99)" \
	"a tag of no job"
breach stored "UPDATE sortie.stored SET bytes = bytes + 1" \
	"a wrong sum of stored bytes"
breach stored "UPDATE sortie.job SET bytes = 1" "jobs of other sizes"
finish
