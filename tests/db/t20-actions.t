#!/bin/sh
# What people do to jobs keeps every counter right.
. "${0%/*}/session.sh"
start_world
submit 1 10 >/dev/null
submit 2 6 >/dev/null
pilot 1 true near 8 8 >/dev/null
is "$(claim 1 1 2 8)" "1,2" "two are granted"

is "$(stmt job_hold "0, NULL, '{}', '{1,5,16,99}'")" \
	"1|conflict|job 1 is dispatched: only waiting and defined jobs can be held||
5||||
16||||
99|not_found|there is no job 99||" "hold refuses with the state"
audit_clean "after hold"
is "$(stmt job_release "0, 1, '{}', '{5,16}'")" "5||||
16|not_found|there is no job 16||" "others' jobs are not there"
is "$(stmt job_cancel "0, NULL, '{}', '{1,6}', false")" "1|||1|
6||||" "a live run gets an order, a queued job ends"
is "$(q "SELECT notice FROM sortie.pilot_room WHERE pilot = 1")" t \
	"its pilot has a notice"
audit_clean "after cancel"
end_run 1 failed 1 >/dev/null
is "$(q "SELECT state, reason FROM sortie.ended WHERE number = 1")" \
	"cancelled|cancelled" "a cancelled run that fails is cancelled"
is "$(stmt job_delete "0, NULL, '{}', '{2,6}'")" \
	"2|conflict|job 2 is dispatched: cancel it first, or delete it with --cancel||
6||||" "delete wants an end"
is "$(stmt job_cancel "0, NULL, '{}', '{2,7}', true" | cut -d'|' -f1)" "2
7" "or cancels first"
end_run 2 cancelled NULL >/dev/null
is "$(q "SELECT count(*) FROM sortie.job WHERE number IN (2, 6, 7)")" 0 \
	"then they are gone"
audit_clean "after delete"
is "$(stmt job_retry "0, NULL, '{}', '{1}', false")" "1||||" "retry"
is "$(q "SELECT attempt FROM sortie.queue WHERE number = 1")" 2 \
	"has the next attempt"
audit_clean "after retry"
stmt job_adjust "0, NULL, '{}', '{8}', '{\"priority\":5}'" >/dev/null
is "$(claim 1 2 1 1)" 8 "a higher priority is granted first"
end_run 8 failed 1 >/dev/null
is "$(q "SELECT why, attempt FROM sortie.waiting WHERE number = 8")" "time|2" \
	"a failed payload waits for its retry"
audit_clean "after adjust and a retry"
stmt job_adjust "0, NULL, '{}', '{9}', '{\"timeout\":100}'" >/dev/null
is "$(q "SELECT c.life_s, c.class_id = q.class_id FROM sortie.job j
	JOIN sortie.class c USING (class_id) JOIN sortie.queue q USING (number)
	WHERE j.number = 9")" "104|t" "a new time limit is a new life time"
audit_clean "after another time limit"

is "$(q "SELECT sortie.project_set_1(0, 'default', 2, true, NULL, false)")" 1 \
	"a maximum of running jobs"
is "$(q "SELECT count(*) FROM sortie.queue WHERE kind_id = 1")" 2 \
	"puts the others behind the gate"
audit_clean "with a gate"
like "$(q "SELECT sortie.explain_1(10, NULL, NULL) ->> 'first'")" \
	'the project "default" has its maximum of 2 jobs*' "explain: the gate"
stmt job_cancel "0, NULL, '{}', '{1,3}', false" >/dev/null
audit_clean "when jobs leave it"
q "SELECT sortie.project_set_1(0, 'default', NULL, true, NULL, false)" >/dev/null
is "$(q "SELECT count(*) FROM sortie.waiting WHERE why = 'gate'")" 0 \
	"no maximum, no gate"

is "$(q "SELECT sortie.limit_set_1('jobtype:b', 1) > 0")" t \
	"a jobtype's maximum set later"
pilot 1 true far 8 16 >/dev/null
claim 2 1 8 16 >/dev/null
is "$(q "SELECT count(*) FROM sortie.live WHERE kind_id = 2")" 1 \
	"binds queued jobs too"
is "$(q "SELECT sortie.limit_delete_1('maya')")" f "a limit in use stays"
audit_clean "with limits"
stmt pilot_order "0, 3, NULL, '{2}', true" >/dev/null
is "$(q "SELECT count(*) FROM sortie.live WHERE pilot = 2")" 0 \
	"a killed pilot's runs are lost"
is "$(q "SELECT sortie.pilot_state_1(p, r) FROM sortie.pilot p LEFT JOIN
	sortie.pilot_room r USING (pilot) WHERE pilot = 2")" killed \
	"and it is killed"
audit_clean "after a kill"

q "UPDATE sortie.ended SET ended_at = ended_at - interval '2 days';
UPDATE sortie.run SET granted_at = granted_at - interval '2 days',
	started_at = started_at - interval '2 days',
	ended_at = ended_at - interval '2 days';
UPDATE sortie.job SET submitted_at = submitted_at - interval '2 days'" >/dev/null
ended=$(q "SELECT count(*) FROM sortie.ended")
is "$(stmt retention_step "9, 86400, 86400, 1" | cut -d'|' -f1,4)" "1|t" \
	"retention takes a step"
is "$(stmt retention_step "9, 86400, 86400, 100" | cut -d'|' -f1,4)" \
	"$((ended - 1))|f" "and what is left"
audit_clean "after retention"
finish
