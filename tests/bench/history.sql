-- Jobs that have ended: :jobs copies of the first one that has finished, with
-- its run, in commits of 100,000.  The counters follow; the audit stays clean.
SELECT set_config('bench.jobs', :'jobs', false);
DO $$
DECLARE
	v_left bigint := current_setting('bench.jobs')::bigint;
	v_n bigint;
	v_model bigint;
	v_first bigint;
BEGIN
	SELECT number INTO STRICT v_model FROM sortie.ended
	WHERE state = 'finished' ORDER BY number LIMIT 1;
	WHILE v_left > 0 LOOP
		v_n := least(v_left, 100000);
		v_first := sortie.job_numbers_1(v_n);
		INSERT INTO sortie.job (number, id, kind_id, class_id, priority,
			idx, submitted_at, name, definition)
		SELECT n, sortie.uuid_1(7274496, -5, n), j.kind_id, j.class_id,
			j.priority, j.idx, clock_timestamp(), j.name,
			j.definition
		FROM sortie.job j,
			generate_series(v_first, v_first + v_n - 1) AS n
		WHERE j.number = v_model;
		INSERT INTO sortie.run (number, attempt, run, pilot, state,
			exit_code, signal, granted_at, started_at, ended_at,
			wall_ms, user_ms, system_ms, max_rss, reason)
		SELECT n, 1, n, r.pilot, r.state, r.exit_code, r.signal,
			now(), now(), now(), r.wall_ms, r.user_ms,
			r.system_ms, r.max_rss, r.reason
		FROM sortie.run r,
			generate_series(v_first, v_first + v_n - 1) AS n
		WHERE r.number = v_model AND r.attempt = 1;
		INSERT INTO sortie.ended (number, kind_id, state, exit_code,
			signal, ended_at, reason)
		SELECT n, e.kind_id, e.state, e.exit_code, e.signal, now(),
			e.reason
		FROM sortie.ended e,
			generate_series(v_first, v_first + v_n - 1) AS n
		WHERE e.number = v_model;
		PERFORM sortie.tally_add_1(199999, ARRAY[e.kind_id],
			ARRAY[e.state], ARRAY[v_n])
		FROM sortie.ended e WHERE e.number = v_model;
		INSERT INTO sortie.event (kind, owner_id, job, detail)
		SELECT 'submitted', k.owner_id, v_first,
			json_build_object('count', v_n)
		FROM sortie.job j JOIN sortie.kind k USING (kind_id)
		WHERE j.number = v_model;
		v_left := v_left - v_n;
		COMMIT;
	END LOOP;
END $$;
