-- 0005: what pilots tell: registration, starts, ends, heartbeats, leaving;
-- and what becomes of runs whose pilot is not heard any more.

-- Ends of runs, of one batch. Arrays run parallel; p_from is the pilot that
-- tells (0: the server itself, for runs of whichever pilot). The caller holds
-- the rows of the pilots, and gives o_left and o_freed to settle_1 when it has
-- done everything else. o_done: the indexes (1-based) that ended a live run
-- now; the others found none.
-- What becomes of the job: see the CASE and doc/STATES.md.
CREATE FUNCTION sortie.runs_end_1(p_bucket int, p_loss_budget int,
	p_from bigint[], p_number bigint[], p_run bigint[],
	p_state sortie.run_state[], p_reason text[], p_exit int[],
	p_signal int[], p_ago bigint[], p_wall bigint[], p_started bool[],
	p_user bigint[], p_system bigint[], p_rss bigint[],
	p_out_size bigint[], p_err_size bigint[], p_out bytea[],
	p_err bytea[], p_incomplete smallint[], p_meta text[],
	OUT o_done int[], OUT o_left int[], OUT o_freed int[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_now timestamptz := clock_timestamp();
	v_n int;
	x_number bigint[]; x_kind int[]; x_class int[];
	x_pilot bigint[]; x_place int[]; x_turn bigint[];
	x_attempt smallint[]; x_was sortie.job_state[]; x_fate text[];
	x_job sortie.job_state[]; x_due timestamptz[]; x_started bool[];
	x_deleting bool[];
	v_doomed bigint[];
BEGIN
	WITH e AS (
		SELECT * FROM unnest(p_from, p_number, p_run, p_state,
			p_reason, p_exit, p_signal, p_ago, p_wall, p_started,
			p_user, p_system, p_rss, p_out_size, p_err_size,
			p_out, p_err, p_incomplete, p_meta) WITH ORDINALITY
			AS e(pilot, number, run, state, reason, exit_code,
			signal, ago, wall, started, usr, sys, rss, out_size,
			err_size, out, err, incomplete, meta, ord)),
	d AS (
		DELETE FROM sortie.live l USING e
		WHERE l.number = e.number AND l.run = e.run
			AND (e.pilot = 0 OR l.pilot = e.pilot)
		RETURNING e.*, e.started OR l.running AS was_started,
			l.pilot AS of_pilot, l.class_id, l.kind_id,
			l.place, l.turn, l.attempt, l.running, l.cancelling,
			l.deleting, l.granted_at, l.started_at,
			greatest(l.granted_at, l.started_at, v_now - e.ago
				* interval '1 millisecond') AS ended_at),
	x AS (
		SELECT d.*, f.budget_left, f.due,
		CASE WHEN d.state = 'finished' OR d.state = 'cancelled'
				OR d.state = 'timelimit' OR d.cancelling
				THEN 'end'
			WHEN d.state = 'failed' AND f.budget_left THEN 'later'
			WHEN d.state = 'failed' THEN 'end'
			WHEN f.budget_left THEN 'again'
			ELSE 'end' END AS fate,
		CASE WHEN d.state IN ('finished') THEN 'finished'
			WHEN d.cancelling OR d.state = 'cancelled'
				THEN 'cancelled'
			WHEN d.state = 'returned' THEN 'lost'
			ELSE d.state::text END::sortie.job_state AS job_state,
		CASE WHEN d.state = 'returned' AND d.attempt = 32767
				THEN 'tried 32767 times'
			WHEN d.state = 'returned' AND d.was_started
				THEN 'drained 20 times'
			WHEN d.state = 'returned'
				THEN 'handed back unstarted 1000 times'
			WHEN d.cancelling AND d.state <> 'finished'
				THEN 'cancelled'
			ELSE d.reason END AS job_reason
		FROM d
		LEFT JOIN LATERAL (
			-- Attempts before a retry by hand do not count, and
			-- no job is tried more often than it can be counted.
			SELECT d.attempt < 32767 AND CASE d.state
				WHEN 'failed' THEN count(*) FILTER (
					WHERE r.state = 'failed')
					< coalesce((j.definition::json
					->> 'retries')::int, 0)
				WHEN 'lost' THEN count(*) FILTER (
					WHERE r.state = 'lost')
					< p_loss_budget
				ELSE count(*) FILTER (
					WHERE r.state = 'returned'
					AND (r.started_at IS NOT NULL)
						= d.was_started)
					< CASE WHEN d.was_started THEN 19
						ELSE 999 END
				END AS budget_left,
				d.ended_at + make_interval(secs => least(86400,
					coalesce((j.definition::json
					->> 'retry_delay')::bigint, 10)
					* (1::bigint << least(20, count(*) FILTER (
					WHERE r.state = 'failed'))::int)))
					AS due
			FROM sortie.job j
			LEFT JOIN sortie.run r ON r.number = j.number
				AND r.attempt > j.retried_at
			WHERE j.number = d.number
			GROUP BY j.definition) AS f
			ON d.state IN ('failed', 'lost', 'returned')),
	r AS (
		INSERT INTO sortie.run (number, attempt, run, pilot, state,
			exit_code, signal, granted_at, started_at, ended_at,
			wall_ms, user_ms, system_ms, max_rss, stdout_size,
			stderr_size, incomplete, reason)
		SELECT x.number, x.attempt, x.run, x.of_pilot,
			CASE WHEN x.cancelling AND x.state <> 'finished'
				THEN 'cancelled' ELSE x.state END,
			x.exit_code, x.signal, x.granted_at,
			CASE WHEN x.started_at IS NOT NULL THEN x.started_at
				WHEN x.was_started THEN greatest(x.granted_at,
				x.ended_at - coalesce(x.wall, 0)
				* interval '1 millisecond') END,
			x.ended_at, x.wall, x.usr, x.sys, x.rss,
			coalesce(x.out_size, 0), coalesce(x.err_size, 0),
			coalesce(x.incomplete, 0), coalesce(x.reason, '')
		FROM x),
	n AS (
		INSERT INTO sortie.ended (number, kind_id, state, exit_code,
			signal, ended_at, reason)
		SELECT x.number, x.kind_id, x.job_state, x.exit_code,
			x.signal, x.ended_at, coalesce(x.job_reason, '')
		FROM x WHERE x.fate = 'end'),
	o AS (
		INSERT INTO sortie.output (number, attempt, stream, at, len,
			data)
		SELECT x.number, x.attempt, 0, 0, length(x.out), x.out
		FROM x WHERE length(x.out) > 0
		UNION ALL
		SELECT x.number, x.attempt, 1, 0, length(x.err), x.err
		FROM x WHERE length(x.err) > 0
		ON CONFLICT DO NOTHING),
	m AS (
		INSERT INTO sortie.run_meta (number, attempt, lines)
		SELECT x.number, x.attempt, x.meta::json
		FROM x WHERE x.meta IS NOT NULL)
	SELECT count(*), array_agg(x.ord::int), array_agg(x.number),
		array_agg(x.kind_id), array_agg(x.class_id),
		array_agg(x.of_pilot), array_agg(x.place), array_agg(x.turn),
		array_agg(x.attempt), array_agg(CASE WHEN x.running
			THEN 'running' ELSE 'dispatched' END
			::sortie.job_state),
		array_agg(x.fate), array_agg(x.job_state), array_agg(x.due),
		array_agg(x.started AND NOT x.running),
		array_agg(x.deleting)
	INTO v_n, o_done, x_number, x_kind, x_class, x_pilot, x_place, x_turn,
		x_attempt, x_was, x_fate, x_job, x_due, x_started, x_deleting
	FROM x;
	IF v_n = 0 THEN
		o_done := '{}';
		RETURN;
	END IF;

	UPDATE sortie.pilot_room p
	SET used_slots = p.used_slots - u.n,
		used_cores = p.used_cores - u.cores,
		used_memory = p.used_memory - u.memory,
		done = p.done + u.done
	FROM (SELECT g.pilot, sum(g.n)::int AS n,
			sum(g.n * c.cores)::int AS cores,
			sum(g.n * c.memory)::bigint AS memory,
			sum(g.done) AS done
		FROM (SELECT y.pilot, y.class_id, count(*) AS n,
				count(*) FILTER (WHERE y.fate = 'end') AS done
			FROM unnest(x_pilot, x_class, x_fate)
				AS y(pilot, class_id, fate)
			GROUP BY y.pilot, y.class_id) AS g
		JOIN sortie.class c ON c.class_id = g.class_id
		GROUP BY g.pilot) AS u
	WHERE p.pilot = u.pilot;

	-- Again at once, at the same place in line.
	IF 'again' = ANY (x_fate) THEN
		PERFORM sortie.queue_put_1(array_agg(y.class_id),
			array_agg(y.place), array_agg(y.turn),
			array_agg(y.number),
			array_agg((y.attempt + 1)::smallint),
			array_agg(y.kind_id))
		FROM unnest(x_fate, x_class, x_place, x_turn, x_number,
			x_attempt, x_kind)
			AS y(fate, class_id, place, turn, number, attempt,
				kind_id)
		WHERE y.fate = 'again';
	END IF;
	IF 'later' = ANY (x_fate) THEN
		INSERT INTO sortie.waiting (number, why, due, class_id,
			kind_id, project_id, place, turn, attempt, reason)
		SELECT y.number, 'time', y.due, y.class_id, y.kind_id,
			k.project_id, y.place, y.turn, y.attempt + 1,
			'tried again after a failure'
		FROM unnest(x_fate, x_class, x_place, x_turn, x_number,
			x_attempt, x_kind, x_due)
			AS y(fate, class_id, place, turn, number, attempt,
				kind_id, due)
		JOIN sortie.kind k ON k.kind_id = y.kind_id
		WHERE y.fate = 'later';
	END IF;

	PERFORM sortie.tally_add_1(p_bucket,
		array_agg(u.kind_id) || array_agg(u.kind_id),
		array_agg(u.was) || array_agg(u.now),
		array_agg(-u.n) || array_agg(u.n))
	FROM (SELECT y.kind_id, y.was, CASE y.fate WHEN 'end' THEN y.job_state
			WHEN 'again' THEN 'defined' ELSE 'waiting' END AS now,
			count(*) AS n
		FROM unnest(x_kind, x_was, x_fate, x_job)
			AS y(kind_id, was, fate, job_state)
		GROUP BY 1, 2, 3) AS u;
	PERFORM sortie.tally_minute_add_1(p_bucket, array_agg(u.kind_id),
		array_agg(u.what), array_agg(u.n))
	FROM (SELECT y.kind_id, y.job_state::text AS what, count(*) AS n
		FROM unnest(x_kind, x_fate, x_job)
			AS y(kind_id, fate, job_state)
		WHERE y.fate = 'end' GROUP BY 1, 2
		UNION ALL
		SELECT y.kind_id, 'started', count(*)
		FROM unnest(x_kind, x_started) AS y(kind_id, started)
		WHERE y.started GROUP BY 1) AS u
	HAVING count(*) > 0;

	IF true = ANY (x_deleting) THEN
		SELECT array_agg(y.number) INTO v_doomed
		FROM unnest(x_number, x_fate, x_deleting)
			AS y(number, fate, deleting)
		WHERE y.deleting AND y.fate = 'end';
		IF v_doomed IS NOT NULL THEN
			PERFORM sortie.jobs_forget_1(p_bucket, v_doomed);
		END IF;
	END IF;
	IF 'again' = ANY (x_fate) THEN
		SELECT array_agg(y.kind_id) INTO o_left
		FROM unnest(x_kind, x_fate) AS y(kind_id, fate)
		WHERE y.fate <> 'again';
	ELSE
		o_left := x_kind;
	END IF;
	o_freed := x_class;
END $$;

-- Removes ended jobs and all that hangs on them. The caller has made sure that
-- they are in `ended`.
CREATE FUNCTION sortie.jobs_forget_1(p_bucket int, p_number bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_kind int[];
	v_state sortie.job_state[];
	v_n bigint[];
BEGIN
	WITH d AS (DELETE FROM sortie.ended WHERE number = ANY (p_number)
		RETURNING kind_id, state)
	SELECT array_agg(d.kind_id), array_agg(d.state),
		array_agg(-1::bigint)
	INTO v_kind, v_state, v_n FROM d;
	IF v_kind IS NOT NULL THEN
		PERFORM sortie.tally_add_1(p_bucket, v_kind, v_state, v_n);
	END IF;
	DELETE FROM sortie.run WHERE number = ANY (p_number);
	DELETE FROM sortie.run_meta WHERE number = ANY (p_number);
	DELETE FROM sortie.output WHERE number = ANY (p_number);
	DELETE FROM sortie.blob_use WHERE number = ANY (p_number);
	DELETE FROM sortie.job_tag WHERE number = ANY (p_number);
	DELETE FROM sortie.job_key WHERE number = ANY (p_number);
	DELETE FROM sortie.event WHERE job = ANY (p_number)
		AND kind <> 'submitted';
	DELETE FROM sortie.job WHERE number = ANY (p_number);
END $$;

-- A run that was given up (lost) comes back to life when its own pilot (or the
-- successor on its spool) speaks of it and its job has neither a newer run nor
-- ended: it is in the queue still, or held, or behind its project's gate. The
-- caller holds the pilot's row, and gives both results to settle_1.
--     o_class   NULL: it does not live; else the class of what it took
--     o_came    its kind when it came past its project's gate
-- 55P03: somebody is just doing something to the job.
CREATE FUNCTION sortie.run_revive_1(p_bucket int, p_pilot bigint,
	p_number bigint, p_run bigint, OUT o_class int, OUT o_came int)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	r sortie.run;
	q record;
	v_was sortie.job_state := 'defined';
BEGIN
	SELECT * INTO r FROM sortie.run
	WHERE number = p_number AND run = p_run
		AND pilot IN (p_pilot, (SELECT p.predecessor
			FROM sortie.pilot p WHERE p.pilot = p_pilot))
		AND state = 'lost' AND reason = 'lease expired'
	FOR UPDATE NOWAIT;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	-- Whoever locks this table counts queued and live jobs: not in between.
	LOCK TABLE sortie.live IN ROW EXCLUSIVE MODE;
	PERFORM 1 FROM sortie.queue
	WHERE number = p_number AND attempt = r.attempt + 1
	FOR UPDATE NOWAIT;
	IF FOUND THEN
		DELETE FROM sortie.queue WHERE number = p_number
		RETURNING class_id, kind_id, place, turn INTO q;
	ELSE
		PERFORM 1 FROM sortie.waiting
		WHERE number = p_number AND attempt = r.attempt + 1
			AND why IN ('gate', 'held')
		FOR UPDATE NOWAIT;
		IF NOT FOUND THEN
			RETURN;
		END IF;
		DELETE FROM sortie.waiting WHERE number = p_number
		RETURNING class_id, kind_id, place, turn, why INTO q;
		v_was := CASE q.why WHEN 'held' THEN 'held' ELSE 'waiting' END;
		o_came := q.kind_id;
	END IF;
	DELETE FROM sortie.run
	WHERE number = p_number AND attempt = r.attempt;
	INSERT INTO sortie.live (number, run, pilot, request, class_id,
		kind_id, place, turn, attempt, ahead, running, granted_at,
		started_at)
	VALUES (p_number, p_run, p_pilot, 0, q.class_id, q.kind_id, q.place,
		q.turn, r.attempt, false, r.started_at IS NOT NULL,
		r.granted_at, r.started_at);
	UPDATE sortie.pilot_room p
	SET used_slots = p.used_slots + 1, used_cores = p.used_cores + c.cores,
		used_memory = p.used_memory + c.memory
	FROM sortie.class c
	WHERE p.pilot = p_pilot AND c.class_id = q.class_id;
	PERFORM sortie.tally_add_1(p_bucket, ARRAY[q.kind_id, q.kind_id],
		ARRAY[v_was, CASE WHEN r.started_at IS NULL
			THEN 'dispatched' ELSE 'running' END]
			::sortie.job_state[],
		ARRAY[-1, 1]::bigint[]);
	INSERT INTO sortie.event (kind, job, pilot, text)
	VALUES ('revived', p_number, p_pilot, 'run ' || r.attempt
		|| ' was taken for lost and lives');
	o_class := q.class_id;
END $$;

-- The pilot has no room in this statement's eyes. 40001 when it was given up
-- since the transaction began: repeated, it is revived.
CREATE FUNCTION sortie.pilot_gone_check_1(p_pilot bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT 1 FROM sortie.pilot p WHERE p.pilot = p_pilot
		AND p.end_state = 'lost' AND p.end_reason = 'lease expired') THEN
		RAISE EXCEPTION 'pilot % was given up just now', p_pilot
			USING ERRCODE = '40001';
	END IF;
END $$;

-- A batch of reports.
--     b_*   one element per report: pilot, lease tick, whether it carries the
--           list of live runs, whether it is drained
--     s_*   starts, e_*  ends (arrays as for runs_end_1), l_*  listed runs;
--           *_rep is the 1-based index of the report
-- A pilot stands at most once in a batch.
-- Rows, by `what`:
--     S, E  start, end recorded, now or before (rep, idx = index into s_ or e_)
--     x     stale (rep, run): no longer the pilot's
--     m     a live run that the list misses: as a grant (claim_1's columns)
--     k     kinds of those; c, d, s  orders (rep)
--     u     unknown pilot (rep): text says why
--     w     class `kind` got work again (number = how many jobs)
--     W     limits or gates may have room again: work for anybody
CREATE FUNCTION sortie.report_1(p_bucket int, p_server bigint,
	p_loss_budget int,
	b_pilot bigint[], b_lease bigint[], b_listed bool[], b_drained bool[],
	s_rep int[], s_number bigint[], s_run bigint[], s_ago bigint[],
	e_rep int[], e_number bigint[], e_run bigint[],
	e_state sortie.run_state[], e_reason text[], e_exit int[],
	e_signal int[], e_ago bigint[], e_wall bigint[], e_started bool[],
	e_user bigint[], e_system bigint[], e_rss bigint[],
	e_out_size bigint[], e_err_size bigint[], e_out bytea[],
	e_err bytea[], e_incomplete smallint[], e_meta text[],
	l_rep int[], l_number bigint[], l_run bigint[])
RETURNS TABLE (what "char", rep int, idx int, run bigint, number bigint,
	id uuid, attempt int, jobidx int, priority int, kind int, ahead bool,
	name text, owner text, project text, definition text)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
	v_now timestamptz := clock_timestamp();
	v_known bool[] := array_fill(false, ARRAY[cardinality(b_pilot)]);
	v_notice int[];
	v_inherited int[];
	v_from bigint[];
	v_done int[];
	v_rest int[];
	v_kinds int[] := '{}';
	-- for settle_1
	v_left int[]; v_came int[]; v_freed int[]; v_taken int[];
	z_class int; z_came int;
	e record;
	v record;
	v_run sortie.run;
BEGIN
	-- Pilots that were given up and speak again (before any lock).
	FOR v IN SELECT u.pilot, u.lease FROM unnest(b_pilot, b_lease)
			AS u(pilot, lease)
		WHERE NOT EXISTS (SELECT 1 FROM sortie.pilot_room p
			WHERE p.pilot = u.pilot)
		ORDER BY u.pilot
	LOOP
		PERFORM sortie.pilot_revive_1(v.pilot, p_server, v.lease);
	END LOOP;
	FOR v IN
		SELECT u.ord::int AS i, p.notice, p.inherited
		FROM unnest(b_pilot) WITH ORDINALITY AS u(pilot, ord)
		JOIN sortie.pilot_room p ON p.pilot = u.pilot
		ORDER BY p.pilot FOR NO KEY UPDATE OF p
	LOOP
		v_known[v.i] := true;
		IF v.notice THEN
			v_notice := v_notice || v.i;
		END IF;
		IF v.inherited THEN
			v_inherited := v_inherited || v.i;
		END IF;
	END LOOP;
	UPDATE sortie.pilot_room p
	SET server = p_server, lease_tick = u.lease, heard_at = v_now,
		pilot_order = CASE WHEN u.drained THEN 'drain'
			ELSE p.pilot_order END
	FROM unnest(b_pilot, b_lease, b_drained) AS u(pilot, lease, drained)
	WHERE p.pilot = u.pilot;
	FOR i IN 1 .. cardinality(b_pilot) LOOP
		IF NOT v_known[i] THEN
			PERFORM sortie.pilot_gone_check_1(b_pilot[i]);
			what := 'u'; rep := i;
			SELECT p.end_state || CASE WHEN p.end_reason <> ''
				THEN ' (' || p.end_reason || ')' ELSE '' END
			INTO name FROM sortie.pilot p WHERE p.pilot = b_pilot[i];
			RETURN NEXT;
		END IF;
	END LOOP;

	IF cardinality(s_run) > 0 THEN
		WITH t AS (
			UPDATE sortie.live l SET running = true,
				started_at = greatest(l.granted_at,
					v_now - s.ago
					* interval '1 millisecond')
			FROM unnest(s_rep, s_number, s_run, s_ago)
				WITH ORDINALITY
				AS s(rep, number, run, ago, ord)
			WHERE l.number = s.number AND l.run = s.run
				AND l.pilot = b_pilot[s.rep]
				AND NOT l.running
			RETURNING s.ord::int AS ord, l.kind_id)
		SELECT array_agg(t.ord), array_agg(t.kind_id)
		INTO v_done, v_kinds FROM t;
		IF v_done IS NOT NULL THEN
			PERFORM sortie.tally_move_1(p_bucket, v_kinds,
				'dispatched', 'running');
			PERFORM sortie.tally_minute_add_1(p_bucket, v_kinds,
				array_fill('started'::text,
					ARRAY[cardinality(v_kinds)]),
				array_fill(1::bigint,
					ARRAY[cardinality(v_kinds)]));
			RETURN QUERY SELECT 'S'::"char", s_rep[o], o, s_run[o],
				s_number[o], NULL::uuid, 0, 0, 0, 0, false,
				NULL::text, NULL::text, NULL::text, NULL::text
			FROM unnest(v_done) AS o;
		END IF;
		v_kinds := '{}';
		-- Starts that changed nothing: repeated, already ended, or of
		-- runs that are not the pilot's.
		FOR v IN SELECT o FROM generate_subscripts(s_run, 1) AS o
			WHERE v_done IS NULL OR NOT o = ANY (v_done)
		LOOP
			CONTINUE WHEN NOT v_known[s_rep[v.o]];
			z_class := NULL;
			IF EXISTS (SELECT 1 FROM sortie.live l
				WHERE l.number = s_number[v.o]
				AND l.run = s_run[v.o]
				AND l.pilot = b_pilot[s_rep[v.o]])
			OR EXISTS (SELECT 1 FROM sortie.run r
				WHERE r.number = s_number[v.o]
				AND r.run = s_run[v.o] AND r.state <> 'lost')
			THEN
				what := 'S';
			ELSE
				SELECT * INTO z_class, z_came
				FROM sortie.run_revive_1(p_bucket,
					b_pilot[s_rep[v.o]], s_number[v.o],
					s_run[v.o]);
				what := CASE WHEN z_class IS NULL THEN 'x'
					ELSE 'S' END;
			END IF;
			IF what = 'x' THEN
				PERFORM sortie.refused_1(b_pilot[s_rep[v.o]],
					s_number[v.o], s_run[v.o], 'start');
			ELSIF z_class IS NOT NULL THEN
				v_taken := v_taken || z_class;
				IF z_came IS NOT NULL THEN
					v_came := v_came || z_came;
				END IF;
				UPDATE sortie.live l SET running = true,
					started_at = v_now
				WHERE l.number = s_number[v.o]
					AND NOT l.running;
				IF FOUND THEN
					PERFORM sortie.tally_add_1(p_bucket,
						ARRAY[l.kind_id, l.kind_id],
						ARRAY['dispatched', 'running']
						::sortie.job_state[],
						ARRAY[-1, 1]::bigint[])
					FROM sortie.live l
					WHERE l.number = s_number[v.o];
				END IF;
			END IF;
			rep := s_rep[v.o]; idx := v.o; run := s_run[v.o];
			number := s_number[v.o];
			RETURN NEXT;
		END LOOP;
	END IF;

	IF cardinality(e_run) > 0 THEN
		SELECT array_agg(b_pilot[r] ORDER BY o) INTO v_from
		FROM unnest(e_rep) WITH ORDINALITY AS u(r, o);
		SELECT * INTO e FROM sortie.runs_end_1(p_bucket,
			p_loss_budget, v_from, e_number, e_run, e_state, e_reason, e_exit, e_signal,
			e_ago, e_wall, e_started, e_user, e_system, e_rss,
			e_out_size, e_err_size, e_out, e_err, e_incomplete,
			e_meta);
		v_done := e.o_done;
		v_left := e.o_left;
		v_freed := e.o_freed;
		IF cardinality(v_done) < cardinality(e_run) THEN
			-- Given up and not taken by anybody: they count.
			v_rest := '{}';
			FOR v IN SELECT o FROM generate_subscripts(e_run, 1)
				AS o WHERE NOT o = ANY (v_done)
			LOOP
				CONTINUE WHEN NOT v_known[e_rep[v.o]];
				SELECT * INTO z_class, z_came
				FROM sortie.run_revive_1(p_bucket,
					v_from[v.o], e_number[v.o],
					e_run[v.o]);
				CONTINUE WHEN z_class IS NULL;
				v_rest := v_rest || v.o;
				v_taken := v_taken || z_class;
				IF z_came IS NOT NULL THEN
					v_came := v_came || z_came;
				END IF;
			END LOOP;
			IF cardinality(v_rest) > 0 THEN
				SELECT y.* INTO e FROM (SELECT sortie.runs_end_1(
					p_bucket, p_loss_budget,
					array_agg(v_from[o] ORDER BY o),
					array_agg(e_number[o] ORDER BY o),
					array_agg(e_run[o] ORDER BY o),
					array_agg(e_state[o] ORDER BY o),
					array_agg(e_reason[o] ORDER BY o),
					array_agg(e_exit[o] ORDER BY o),
					array_agg(e_signal[o] ORDER BY o),
					array_agg(e_ago[o] ORDER BY o),
					array_agg(e_wall[o] ORDER BY o),
					array_agg(e_started[o] ORDER BY o),
					array_agg(e_user[o] ORDER BY o),
					array_agg(e_system[o] ORDER BY o),
					array_agg(e_rss[o] ORDER BY o),
					array_agg(e_out_size[o] ORDER BY o),
					array_agg(e_err_size[o] ORDER BY o),
					array_agg(e_out[o] ORDER BY o),
					array_agg(e_err[o] ORDER BY o),
					array_agg(e_incomplete[o] ORDER BY o),
					array_agg(e_meta[o] ORDER BY o)) AS f
					FROM unnest(v_rest) AS o) AS x,
					LATERAL (SELECT (x.f).*) AS y;
				v_done := v_done || v_rest;
				v_left := v_left || e.o_left;
				v_freed := v_freed || e.o_freed;
			END IF;
			FOR v IN SELECT o FROM generate_subscripts(e_run, 1)
				AS o WHERE NOT o = ANY (v_done)
			LOOP
				CONTINUE WHEN NOT v_known[e_rep[v.o]];
				SELECT * INTO v_run FROM sortie.run r
				WHERE r.number = e_number[v.o]
					AND r.run = e_run[v.o];
				IF FOUND AND v_run.state <> 'lost' THEN
					v_done := v_done || v.o;
				ELSE
					what := 'x'; rep := e_rep[v.o];
					idx := v.o; run := e_run[v.o];
					number := e_number[v.o];
					RETURN NEXT;
					PERFORM sortie.refused_1(v_from[v.o],
						number, run, 'end');
				END IF;
			END LOOP;
		END IF;
		RETURN QUERY SELECT 'E'::"char", e_rep[o], o, e_run[o],
			e_number[o], NULL::uuid, 0, 0, 0, 0, false, NULL::text,
			NULL::text, NULL::text, NULL::text
		FROM unnest(v_done) AS o;
		-- Which classes have work again, for waking.
		IF array_remove(e_state, 'finished') <> '{}' THEN
			RETURN QUERY SELECT 'w'::"char", 0, 0, 0::bigint,
				count(*), NULL::uuid, 0, 0, 0, q.class_id,
				false, NULL::text, NULL::text, NULL::text,
				NULL::text
			FROM unnest(v_done) AS o
			JOIN sortie.queue q ON q.number = e_number[o]
			WHERE e_state[o] <> 'finished'
			GROUP BY q.class_id;
		END IF;
		IF EXISTS (SELECT 1 FROM sortie.lim)
		OR EXISTS (SELECT 1 FROM sortie.project p
			WHERE p.max_running IS NOT NULL) THEN
			what := 'W'; rep := 0; idx := 0; run := 0; number := 0;
			kind := 0;
			RETURN NEXT;
		END IF;
	END IF;

	-- The first report of a successor has told all that is left of its
	-- predecessor: the other runs died with it.
	IF v_inherited IS NOT NULL THEN
		SELECT y.* INTO e FROM (SELECT array_agg(b_pilot[i]) AS pilots
			FROM unnest(v_inherited) AS i) AS x,
			sortie.runs_lose_1(p_bucket, p_loss_budget, x.pilots,
				'pilot died', true) AS y;
		v_left := v_left || e.o_left;
		v_freed := v_freed || e.o_freed;
		UPDATE sortie.pilot_room p SET inherited = false
		FROM unnest(v_inherited) AS i WHERE p.pilot = b_pilot[i];
	END IF;

	FOR v IN SELECT i FROM generate_subscripts(b_pilot, 1) AS i
		WHERE b_listed[i] AND v_known[i]
	LOOP
		-- Listed, but not the pilot's.
		FOR v_run.number, v_run.run IN
			SELECT u.number, u.run
			FROM unnest(l_rep, l_number, l_run)
				AS u(rep, number, run)
			WHERE u.rep = v.i AND NOT EXISTS (
				SELECT 1 FROM sortie.live l
				WHERE l.number = u.number AND l.run = u.run
				AND l.pilot = b_pilot[v.i])
		LOOP
			SELECT * INTO z_class, z_came
			FROM sortie.run_revive_1(p_bucket, b_pilot[v.i],
				v_run.number, v_run.run);
			IF z_class IS NULL THEN
				what := 'x'; rep := v.i; idx := 0;
				run := v_run.run; number := v_run.number;
				RETURN NEXT;
			ELSE
				v_taken := v_taken || z_class;
				IF z_came IS NOT NULL THEN
					v_came := v_came || z_came;
				END IF;
			END IF;
		END LOOP;
		-- The pilot's, but not listed.
		FOR v_run.number IN
			SELECT l.number FROM sortie.live l
			WHERE l.pilot = b_pilot[v.i] AND NOT EXISTS (
				SELECT 1 FROM unnest(l_rep, l_number, l_run)
					AS u(rep, number, run)
				WHERE u.rep = v.i AND u.number = l.number
				AND u.run = l.run)
		LOOP
			SELECT 'm', v.i, 0, l.run, l.number, j.id, l.attempt,
				j.idx, ~l.place, l.kind_id, l.ahead, j.name,
				j.definition
			INTO what, rep, idx, run, number, id, attempt, jobidx,
				priority, kind, ahead, name, definition
			FROM sortie.live l
			JOIN sortie.job j ON j.number = l.number
			WHERE l.number = v_run.number;
			RETURN NEXT;
			v_kinds := v_kinds || kind;
		END LOOP;
	END LOOP;
	IF v_kinds <> '{}' THEN
		RETURN QUERY
		SELECT 'k'::"char", 0, 0, 0::bigint, k.kind_id::bigint,
			NULL::uuid, 0, 0, 0, 0, false, k.jobtype, o.name,
			p.name, NULL::text
		FROM (SELECT DISTINCT x FROM unnest(v_kinds) AS x) AS u
		JOIN sortie.kind k ON k.kind_id = u.x
		JOIN sortie.owner o ON o.owner_id = k.owner_id
		JOIN sortie.project p ON p.project_id = k.project_id;
	END IF;
	IF v_notice IS NOT NULL THEN
		RETURN QUERY SELECT w.what, w.req, 0, w.run, w.number,
			NULL::uuid, 0, 0, 0, 0, false, NULL::text, NULL::text,
			NULL::text, NULL::text
		FROM unnest(v_notice) AS u(i),
			sortie.orders_1(b_pilot[u.i], u.i) AS w;
		UPDATE sortie.pilot_room p SET notice = false
		FROM unnest(v_notice) AS u(i)
		WHERE p.pilot = b_pilot[u.i] AND p.pilot_order IS NULL
			AND NOT EXISTS (SELECT 1 FROM sortie.live l
				WHERE l.pilot = p.pilot AND l.cancelling);
	END IF;
	IF v_freed IS NOT NULL OR v_taken IS NOT NULL THEN
		PERFORM sortie.settle_1(p_bucket, v_left, v_came, v_freed,
			v_taken);
	END IF;
END $$;

-- The record of a message that changed nothing (I3).
CREATE FUNCTION sortie.refused_1(p_pilot bigint, p_number bigint, p_run bigint,
	p_what text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO sortie.event (kind, job, pilot, text, detail)
	VALUES ('refused', p_number, p_pilot, p_what
		|| ' of a run that is no longer the pilot''s',
		json_build_object('run', lpad(to_hex(p_run), 16, '0')))
$$;

-- All live runs of pilots (only the inherited ones when so asked) are lost.
-- The caller holds the pilots' rows and settles, as for runs_end_1. o_n: runs.
CREATE FUNCTION sortie.runs_lose_1(p_bucket int, p_loss_budget int,
	p_pilots bigint[], p_reason text, p_inherited bool,
	OUT o_n int, OUT o_left int[], OUT o_freed int[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_number bigint[]; v_run bigint[]; v_started bool[];
BEGIN
	SELECT count(*), array_agg(l.number), array_agg(l.run),
		array_agg(l.running)
	INTO o_n, v_number, v_run, v_started
	FROM sortie.live l
	WHERE l.pilot = ANY (p_pilots) AND (l.inherited OR NOT p_inherited);
	IF o_n > 0 THEN
		SELECT x.o_left, x.o_freed INTO o_left, o_freed
		FROM sortie.runs_drop_1(p_bucket, p_loss_budget, v_number,
			v_run, v_started,
			array_fill('lost'::sortie.run_state, ARRAY[o_n]),
			p_reason) AS x;
	END IF;
END $$;

-- Runs end without a word from their pilots. p_state: lost or returned.
CREATE FUNCTION sortie.runs_drop_1(p_bucket int, p_loss_budget int,
	p_number bigint[], p_run bigint[], p_started bool[],
	p_state sortie.run_state[], p_reason text,
	OUT o_left int[], OUT o_freed int[])
LANGUAGE plpgsql AS $$
DECLARE
	n int[] := ARRAY[cardinality(p_number)];
	v_incomplete smallint[] := array_fill(0::smallint, n);
BEGIN
	FOR i IN 1 .. n[1] LOOP
		IF p_started[i] THEN
			v_incomplete[i] := 3;
		END IF;
	END LOOP;
	SELECT x.o_left, x.o_freed INTO o_left, o_freed
	FROM sortie.runs_end_1(p_bucket, p_loss_budget,
		array_fill(0::bigint, n), p_number, p_run, p_state,
		array_fill(p_reason, n), array_fill(NULL::int, n),
		array_fill(NULL::int, n), array_fill(0::bigint, n),
		array_fill(NULL::bigint, n), p_started,
		array_fill(NULL::bigint, n), array_fill(NULL::bigint, n),
		array_fill(NULL::bigint, n), array_fill(NULL::bigint, n),
		array_fill(NULL::bigint, n), array_fill(NULL::bytea, n),
		array_fill(NULL::bytea, n), v_incomplete,
		array_fill(NULL::text, n)) AS x;
END $$;

-- Registers a pilot. p_predecessor: number of the pilot whose spool it found
-- (the server has checked its token), or NULL; that one ends, and its live
-- runs belong to the new pilot, whose first report settles them.
CREATE FUNCTION sortie.pilot_register_1(p_bucket int, p_server bigint,
	p_lease bigint, p_high bigint, p_low bigint, p_owner int,
	p_everybody bool, p_project_ids int[], p_host text, p_site text,
	p_pools text[], p_labels jsonb, p_accept text[], p_refuse text[],
	p_slots int, p_cores int, p_memory bigint, p_batch_id text,
	p_version text, p_life_s bigint, p_predecessor bigint,
	OUT pilot bigint, OUT id uuid, OUT site json)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	v sortie.pilot;
	v_used record;
BEGIN
	PERFORM pg_advisory_xact_lock(7004);
	v.pilot := nextval('sortie.pilot_number');
	INSERT INTO sortie.pilot (pilot, id, owner_id, everybody, project_ids,
		host, site, pools, labels, accept, refuse, slots, cores,
		memory, batch_id, version, predecessor, ends_at)
	VALUES (v.pilot, sortie.uuid_1(p_high, p_low, v.pilot), p_owner,
		p_everybody, p_project_ids, p_host, p_site, p_pools, p_labels,
		p_accept, p_refuse, p_slots, p_cores, p_memory, p_batch_id,
		p_version, p_predecessor, CASE WHEN p_life_s > 0
			THEN now() + make_interval(secs => p_life_s) END)
	RETURNING * INTO v;
	INSERT INTO sortie.pilot_room (pilot, profile_id, slots, cores, memory,
		server, lease_tick, ends_at)
	VALUES (v.pilot, sortie.profile_ensure_1(v), p_slots, p_cores,
		sortie.memory_1(p_memory), p_server, p_lease, v.ends_at);
	IF p_predecessor IS NOT NULL THEN
		PERFORM 1 FROM sortie.pilot_room r
		WHERE r.pilot = p_predecessor FOR UPDATE;
		UPDATE sortie.live l SET pilot = v.pilot, inherited = true
		WHERE l.pilot = p_predecessor;
		IF FOUND THEN
			UPDATE sortie.pilot_room r
			SET inherited = true, used_slots = u.used_slots,
				used_cores = u.used_cores,
				used_memory = u.used_memory
			FROM sortie.pilot_room u
			WHERE r.pilot = v.pilot AND u.pilot = p_predecessor;
		END IF;
		PERFORM sortie.pilot_gone_1(p_predecessor, 'lost',
			'succeeded by pilot ' || v.pilot);
	END IF;
	INSERT INTO sortie.event (kind, owner_id, pilot, text)
	VALUES ('pilot registered', p_owner, v.pilot, p_host);
	pilot := v.pilot;
	id := v.id;
	site := (SELECT s.definition FROM sortie.site s
		WHERE s.name = p_site)::json;
END $$;

-- The hot half goes; what it counted is kept. Runs are settled before.
CREATE FUNCTION sortie.pilot_gone_1(p_pilot bigint, p_state text,
	p_reason text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_done bigint;
BEGIN
	DELETE FROM sortie.pilot_room p WHERE p.pilot = p_pilot
	RETURNING p.done INTO v_done;
	UPDATE sortie.pilot p
	SET ended_at = coalesce(p.ended_at, now()),
		end_state = coalesce(p.end_state, p_state),
		end_reason = CASE WHEN p.end_state IS NULL THEN p_reason
			ELSE p.end_reason END,
		jobs_done = p.jobs_done + coalesce(v_done, 0)
	WHERE p.pilot = p_pilot;
	INSERT INTO sortie.event (kind, owner_id, pilot, text)
	SELECT 'pilot ' || p.end_state, p.owner_id, p.pilot, p_reason
	FROM sortie.pilot p WHERE p.pilot = p_pilot;
END $$;

-- A pilot that was given up speaks again: it gets its room back.
CREATE FUNCTION sortie.pilot_revive_1(p_pilot bigint, p_server bigint,
	p_lease bigint) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
	v sortie.pilot;
BEGIN
	PERFORM pg_advisory_xact_lock(7004);
	UPDATE sortie.pilot p
	SET ended_at = NULL, end_state = NULL, end_reason = ''
	WHERE p.pilot = p_pilot AND p.end_state = 'lost'
		AND p.end_reason = 'lease expired'
	RETURNING * INTO v;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	INSERT INTO sortie.pilot_room (pilot, profile_id, slots, cores, memory,
		server, lease_tick, ends_at)
	VALUES (v.pilot, sortie.profile_ensure_1(v), v.slots, v.cores,
		sortie.memory_1(v.memory), p_server, p_lease, v.ends_at)
	ON CONFLICT (pilot) DO NOTHING;
	INSERT INTO sortie.event (kind, owner_id, pilot, text)
	VALUES ('pilot revived', v.owner_id, v.pilot,
		'taken for lost, and speaks');
	RETURN true;
END $$;

-- A pilot leaves. Runs that never started go back at no cost, others are lost.
CREATE FUNCTION sortie.pilot_leave_1(p_bucket int, p_loss_budget int,
	p_pilot bigint) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
	v_n int; v_number bigint[]; v_run bigint[]; v_started bool[];
	v_state sortie.run_state[];
	e record;
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	PERFORM 1 FROM sortie.pilot_room p WHERE p.pilot = p_pilot FOR UPDATE;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	SELECT count(*), array_agg(l.number), array_agg(l.run),
		array_agg(l.running), array_agg(CASE WHEN l.running THEN 'lost'
			ELSE 'returned' END::sortie.run_state)
	INTO v_n, v_number, v_run, v_started, v_state
	FROM sortie.live l WHERE l.pilot = p_pilot;
	IF v_n > 0 THEN
		SELECT * INTO e FROM sortie.runs_drop_1(p_bucket,
			p_loss_budget, v_number, v_run, v_started, v_state,
			'pilot left');
	END IF;
	PERFORM sortie.pilot_gone_1(p_pilot, 'stopped', 'left');
	IF v_n > 0 THEN
		PERFORM sortie.settle_1(p_bucket, e.o_left, NULL, e.o_freed,
			NULL);
	END IF;
	RETURN true;
END $$;

-- Service time. A server's tick; returns it.
CREATE FUNCTION sortie.server_start_1(p_host text, p_url text, p_version text,
	OUT server bigint, OUT bucket int, OUT cluster uuid, OUT hmac_key bytea)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	v_bucket int;
BEGIN
	PERFORM pg_advisory_xact_lock(7005);
	SELECT g INTO v_bucket FROM generate_series(0, 10000) AS g
	WHERE NOT EXISTS (SELECT 1 FROM sortie.server s WHERE s.bucket = g)
	ORDER BY g LIMIT 1;
	INSERT INTO sortie.server AS s (server, bucket, host, url, version)
	VALUES (nextval('sortie.server_number'), v_bucket, p_host, p_url,
		p_version)
	RETURNING s.server, s.bucket INTO server, bucket;
	SELECT c.id, c.hmac_key INTO cluster, hmac_key FROM sortie.cluster c;
END $$;

-- Gives up this server's own pilots whose lease lies before p_tick, at most
-- p_max of them. A pilot without runs has 75 ticks more: nothing waits for it,
-- and its parked claim is heard only when it ends. Returns each with the runs it lost.
CREATE FUNCTION sortie.expire_1(p_bucket int, p_loss_budget int,
	p_server bigint, p_tick bigint, p_max int)
RETURNS TABLE (pilot bigint, runs int) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	v_pilots bigint[];
	v_runs int[];
	e record;
BEGIN
	SELECT array_agg(x.pilot), array_agg(x.used_slots)
	INTO v_pilots, v_runs
	FROM (SELECT p.pilot, p.used_slots FROM sortie.pilot_room p
		WHERE p.server = p_server AND p.lease_tick < p_tick
			- CASE WHEN p.used_slots > 0 THEN 0 ELSE 75 END
		ORDER BY p.pilot LIMIT p_max FOR UPDATE) AS x;
	IF v_pilots IS NULL THEN
		RETURN;
	END IF;
	SELECT * INTO e FROM sortie.runs_lose_1(p_bucket, p_loss_budget,
		v_pilots, 'lease expired', false);
	FOR i IN 1 .. cardinality(v_pilots) LOOP
		PERFORM sortie.pilot_gone_1(v_pilots[i], 'lost',
			'lease expired');
		pilot := v_pilots[i];
		runs := v_runs[i];
		RETURN NEXT;
	END LOOP;
	PERFORM sortie.settle_1(p_bucket, e.o_left, NULL, e.o_freed, NULL);
END $$;

-- A server's row stood still: this one takes its pilots, each with a full
-- lease, and removes the row, unless it moved after all (p_seen).
CREATE FUNCTION sortie.adopt_1(p_server bigint, p_lease bigint,
	p_dead bigint, p_seen bigint) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	v_n int;
BEGIN
	PERFORM 1 FROM sortie.server s WHERE s.server = p_dead
		AND s.ticks = p_seen FOR UPDATE;
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	PERFORM 1 FROM sortie.pilot_room p WHERE p.server = p_dead
	ORDER BY p.pilot FOR UPDATE;
	UPDATE sortie.pilot_room p SET server = p_server, lease_tick = p_lease
	WHERE p.server = p_dead;
	GET DIAGNOSTICS v_n = ROW_COUNT;
	DELETE FROM sortie.server s WHERE s.server = p_dead;
	RETURN v_n;
END $$;

-- A piece of output of a live run. Rows: idx (1-based), has = bytes of the
-- stream that the server has now (the next offset it takes), what: + stored or
-- already there, g not a live run of the pilot, o does not begin at `has`.
-- A gap is taken from p_head on (the middle was left out); then pieces that
-- end before the last p_tail bytes go.
CREATE FUNCTION sortie.output_put_1(p_head bigint, p_tail bigint,
	o_pilot bigint[], o_number bigint[], o_run bigint[],
	o_stream smallint[], o_at bigint[], o_len int[], o_data bytea[],
	o_blob bytea[])
RETURNS TABLE (idx int, what "char", has bigint) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_attempt smallint;
	v_blobs bytea[];
BEGIN
	-- By hash, so that two batches cannot wait for each other; what is
	-- refused below leaves a blob that nobody uses, which a sweep takes.
	INSERT INTO sortie.blob AS b (sha256, size)
	SELECT DISTINCT ON (u.sha256) u.sha256, u.len
	FROM unnest(o_blob, o_len) AS u(sha256, len)
	WHERE u.sha256 IS NOT NULL
	ORDER BY u.sha256
	ON CONFLICT (sha256) DO UPDATE SET put_at = now();
	FOR i IN 1 .. cardinality(o_run) LOOP
		idx := i;
		-- 55P03: the run is just ending, or not; then it is known.
		SELECT l.attempt INTO v_attempt FROM sortie.live l
		WHERE l.number = o_number[i] AND l.run = o_run[i]
			AND l.pilot = o_pilot[i]
		FOR KEY SHARE NOWAIT;
		IF NOT FOUND THEN
			what := 'g'; has := 0;
			RETURN NEXT;
			CONTINUE;
		END IF;
		SELECT o.at + o.len INTO has FROM sortie.output o
		WHERE o.number = o_number[i] AND o.attempt = v_attempt
			AND o.stream = o_stream[i]
		ORDER BY o.at DESC LIMIT 1;
		has := coalesce(has, 0);
		IF o_at[i] + o_len[i] <= has THEN
			what := '+';
		ELSIF o_len[i] > 0 AND (o_at[i] = has
			OR o_at[i] > has AND o_at[i] >= p_head) THEN
			INSERT INTO sortie.output (number, attempt, stream, at,
				len, data, blob)
			VALUES (o_number[i], v_attempt, o_stream[i], o_at[i],
				o_len[i], CASE WHEN o_blob[i] IS NULL
					THEN o_data[i] END, o_blob[i]);
			has := o_at[i] + o_len[i];
			what := '+';
			IF o_blob[i] IS NOT NULL THEN
				INSERT INTO sortie.blob_use (sha256, number)
				VALUES (o_blob[i], o_number[i])
				ON CONFLICT DO NOTHING;
			END IF;
			IF has > p_head + p_tail THEN
				WITH d AS (
					DELETE FROM sortie.output o
					WHERE o.number = o_number[i]
					AND o.attempt = v_attempt
					AND o.stream = o_stream[i]
					AND o.at >= p_head
					AND o.at + o.len <= has - p_tail
					RETURNING o.blob)
				SELECT array_agg(d.blob)
				FILTER (WHERE d.blob IS NOT NULL)
				INTO v_blobs FROM d;
				PERFORM sortie.blobs_unuse_1(o_number[i],
					v_blobs);
			END IF;
		ELSE
			what := 'o';
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;

-- Pieces of a job's output went: their blobs are not the job's any more, unless
-- another piece has the same bytes or the job sends a file of them.
CREATE FUNCTION sortie.blobs_unuse_1(p_number bigint, p_blob bytea[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
BEGIN
	IF p_blob IS NULL THEN
		RETURN;
	END IF;
	DELETE FROM sortie.blob_use u
	WHERE u.number = p_number AND u.sha256 = ANY (p_blob)
	AND NOT EXISTS (SELECT 1 FROM sortie.output o
		WHERE o.number = p_number AND o.blob = u.sha256)
	AND NOT EXISTS (SELECT 1 FROM sortie.job j
		WHERE j.number = p_number AND strpos(j.definition,
			encode(u.sha256, 'hex')) > 0);
END $$;
