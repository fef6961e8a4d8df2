#!/bin/sh
# Two sessions in every order that has hurt.
. "${0%/*}/session.sh"
start_world
submit 1 20 >/dev/null
pilot 1 true near 8 8 >/dev/null
pilot 1 true near 8 8 >/dev/null
open_session a
open_session b

# One grant lane: the second claim sees what the first has taken.
is "$(say a "BEGIN; $(sql_claim 1 1 3 3)")" "1,2,3" "the first claim's jobs"
ask b "$(sql_claim 2 1 3 3)"
until_blocked && pass "the second waits" || fail "the second waits"
say a COMMIT >/dev/null
is "$(hear b)" "4,5,6" "and gets those behind, in order"

# A cancel and a grant of the same job.
say a "BEGIN; SELECT number FROM sortie.job_cancel_1(0, NULL, '{}', '{7}', false)" >/dev/null
ask b "$(sql_claim 2 2 2 2)"
until_blocked
say a COMMIT >/dev/null
is "$(hear b)" 8 "a job that was cancelled meanwhile is not granted"
is "$(say b "$(sql_claim 2 3 1 1)")" 9 "the next claim fills the room"
audit_clean

# A run that is handed back while a claim waits for the lane.
say a "BEGIN; SELECT pg_advisory_xact_lock(7000)" >/dev/null
ask b "$(sql_claim 2 4 1 1)"
until_blocked
end_run 9 returned 0 >/dev/null
say a COMMIT >/dev/null
is "$(hear b)" 9 "the claim gets that job again"
is "$(q "SELECT l.granted_at >= r.ended_at FROM sortie.live l
	JOIN sortie.run r USING (number) WHERE l.number = 9")" t \
	"granted after its run before had ended"
audit_clean

# A feed never passes over a late commit.
start=$(q "SELECT next FROM sortie.feed_1(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1)")
xid=${start%%-*}; rest=${start#*-}; src=${rest%%-*}; rest=${rest#*-}
feed()
{
	q "SELECT coalesce((SELECT string_agg(x ->> 'job', ',') FROM
	json_array_elements(('[' || coalesce(items, '') || ']')::json) x), '-')
	FROM sortie.feed_1(NULL, NULL, '$xid', $src, ${rest%%-*}, ${rest#*-}, NULL, NULL, 100)"
}
say a "BEGIN; INSERT INTO sortie.event (kind, job) VALUES ('test', 10)" >/dev/null
q "INSERT INTO sortie.event (kind, job) VALUES ('test', 11)" >/dev/null
is "$(feed)" "-" "what came after an open transaction is held back"
say a COMMIT >/dev/null
is "$(feed)" "10,11" "and told in order once that has ended"

# Retention and a retry of the same job.
say a "UPDATE sortie.job SET definition = '{\"payload\":\"/bin/true\"}',
	submitted_at = submitted_at - interval '2 days' WHERE number = 1" >/dev/null
end_run 1 failed 1 >/dev/null
q "UPDATE sortie.run SET granted_at = granted_at - interval '2 days',
	started_at = started_at - interval '2 days',
	ended_at = ended_at - interval '2 days' WHERE number = 1;
UPDATE sortie.ended SET ended_at = ended_at - interval '2 days'
	WHERE number = 1" >/dev/null
say a "BEGIN; SELECT number FROM sortie.job_retry_1(0, NULL, '{}', '{1}', false)" >/dev/null
is "$(q "SELECT jobs FROM sortie.retention_step_1(9, 86400, 0, 100)")" 0 \
	"retention passes over what is being tried again"
say a COMMIT >/dev/null
is "$(q "SELECT count(*) FROM sortie.queue WHERE number = 1")" 1 \
	"which then runs again"
audit_clean

# A maximum that is set while a run ends.
say a "BEGIN; $(sql_end 2 finished 0)" >/dev/null
ask b "SELECT sortie.limit_set_1('jobtype:a', 5)"
until_blocked
say a COMMIT >/dev/null
hear b >/dev/null
audit_clean "after a jobtype's maximum was set beside an end"
say a "BEGIN; $(sql_end 3 finished 0)" >/dev/null
ask b "SELECT sortie.project_set_1(0, 'default', 3, true, NULL, false)"
until_blocked
say a COMMIT >/dev/null
hear b >/dev/null
audit_clean "after a project's maximum was set beside an end"

# Starting and ending while somebody submits into the gate.
say a "BEGIN; $(sql_submit 1 3)" >/dev/null
ask b "$(sql_end 4 finished 0)"
until_blocked
say a COMMIT >/dev/null
hear b >/dev/null
audit_clean "after a submission beside an end at a gate"
# Requests with keys, in batches: each is [Idempotency-Key, hash of the body,
# the job's key, payload], and told is its job or its fault.
q "CREATE FUNCTION keyed(p json) RETURNS text LANGUAGE sql AS \$\$
	SELECT string_agg(coalesce(s.fault, s.answer ->> 'first',
		s.first::text), ' ' ORDER BY s.req)
	FROM (SELECT array_agg(x ->> 0 ORDER BY o) AS key,
		array_agg(convert_to(x ->> 1, 'UTF8') ORDER BY o) AS hash,
		array_agg(x ->> 2 ORDER BY o) AS name,
		array_agg(json_build_object('payload', x ->> 3)::text
			ORDER BY o) AS definition,
		array_agg(o::int ORDER BY o) AS req,
		array_agg(1 ORDER BY o) AS one,
		array_agg(false ORDER BY o) AS held,
		array_agg(NULL::timestamptz ORDER BY o) AS due,
		array_agg(NULL::text ORDER BY o) AS none
		FROM json_array_elements(p) WITH ORDINALITY AS u(x, o)) AS a,
	sortie.submit_keyed_2(0, 111::bigint << 16 | 28672,
		(-9223372036854775808)::bigint | 5, '{1}', a.one, a.key,
		a.hash, a.req, a.one, a.one, a.one, a.one, a.one, a.held,
		a.due, a.definition, a.definition, a.none, a.none, a.name)
		AS s \$\$" >/dev/null
keyed() { q "SELECT keyed('$1')"; }
last=$(q "SELECT last_value FROM sortie.job_number")
is "$(keyed '[["i1","h",null,"a"], [null,"h","k1","b"], [null,"h",null,"c"]]')" \
	"$((last + 1)) $((last + 2)) $((last + 3))" \
	"with one key, the other, and none: all in a batch are made"
is "$(keyed '[["i1","x",null,"z"], ["i1","h",null,"a"], [null,"h","k1","z"],
	[null,"h","k1","b"], [null,"h","k2","d"]]')" \
	"SO006 $((last + 1)) SO005 $((last + 2)) $((last + 4))" \
	"each has an answer of its own: refused, as before, new"
twins='["i2","h",null,"e"], ["i2","h",null,"e"], [null,"h","k3","f"],
	["i3","h","k3","f"]'
is "$(keyed "[$twins]")" "$((last + 5)) 40001 $((last + 6)) 40001" \
	"of equal keys in a batch the first is made, the others come again"
is "$(keyed "[$twins]")" \
	"$((last + 5)) $((last + 5)) $((last + 6)) $((last + 6))" \
	"and find it"
is "$(keyed '[["i4","h","k1","z"], ["i4","h","k1","z"], ["i5","h",null,"g"]]')" \
	"SO005 SO005 $((last + 7))" \
	"one that is refused keeps no equal one waiting"
say a "BEGIN; SELECT keyed('[[\"i6\",\"h\",null,\"a\"]]')" >/dev/null
ask b "SELECT keyed('[[null,\"h\",null,\"a\"], [\"i6\",\"h\",null,\"a\"]]')"
until_blocked
say a COMMIT >/dev/null
like "$(hear b)" "*the same is submitted elsewhere*" \
	"whoever is overtaken makes nothing"
is "$(keyed '[["i6","h",null,"a"]]')" $((last + 8)) "and finds the other's"
audit_clean "after keys"

# A priority that changes between two rounds of a claim: what the first round has
# read, the second one finds again, elsewhere. The claim stands still in the
# first one where it reads the job before the last.
q "SELECT sortie.project_set_1(0, 'default', NULL, true, NULL, false),
	sortie.limit_delete_1('jobtype:a')" >/dev/null
q "SELECT count(*) FROM sortie.job_cancel_1(0, NULL, '{}',
	ARRAY(SELECT number FROM sortie.queue), false)" >/dev/null
first=$(submit 1 3)
submit 2 1 -1 >/dev/null
far=$(pilot 2 true far 20 20)
q "CREATE ROLE watched; GRANT USAGE ON SCHEMA sortie TO watched;
	GRANT ALL ON ALL TABLES IN SCHEMA sortie TO watched;
	GRANT ALL ON ALL SEQUENCES IN SCHEMA sortie TO watched;
	CREATE FUNCTION pause(bigint) RETURNS bool LANGUAGE sql VOLATILE AS \$\$
		SELECT CASE WHEN \$1 = $((first + 1)) THEN
			pg_advisory_xact_lock_shared(99) IS NOT NULL
			ELSE true END \$\$;
	ALTER TABLE sortie.queue ENABLE ROW LEVEL SECURITY;
	CREATE POLICY p ON sortie.queue USING (pause(number))"
say b "SELECT pg_advisory_lock(99)" >/dev/null
ask a "SET ROLE watched; $(sql_claim "$far" 1 20 20); RESET ROLE"
until_blocked
q "SELECT code FROM sortie.job_adjust_1(0, NULL, '{}', '{$first}', '{\"priority\":-2}')" >/dev/null
say b "SELECT pg_advisory_unlock(99)" >/dev/null
is "$(hear a)" "$first,$((first + 1)),$((first + 2)),$((first + 3))" \
	"a job whose priority changes beside a claim is granted"
is "$(q "SELECT used_slots FROM sortie.pilot_room WHERE pilot = $far")" 4 "once"
audit_clean "after that"

# Two batches with the same piece of output, from a pilot that asked again.
run=$(q "SELECT run FROM sortie.live WHERE number = $first")
put="SELECT what, has FROM sortie.output_put_1(100, 100, '{$far}', '{$first}',
	'{$run}', '{0}', '{0}', '{1}', '{a}', ARRAY[NULL]::bytea[])"
say a "BEGIN; $put" >/dev/null
like "$(say b "SET lock_timeout = '4s'; $put")" "*could not obtain lock*" \
	"the second one comes again when the first is written"
say a COMMIT >/dev/null
is "$(say b "$put")" "+|1" "and finds it there"
finish
