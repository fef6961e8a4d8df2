-- Ends of runs, and what becomes of their jobs; runs that were given up
-- and live.

-- In how many seconds a job is tried again whose run ended so: 0 = at once,
-- NULL = not any more. p_state: failed, lost or returned. Attempts before a
-- retry by hand do not count, and no job is tried more often than it can be
-- counted.
CREATE OR REPLACE FUNCTION sortie.run_delay_1(p_loss_budget int,
	p_number bigint, p_attempt smallint, p_state sortie.run_state,
	p_started bool) RETURNS int
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_job json;
	v_n int;                        -- runs before that ended so
BEGIN
	SELECT j.definition::json, count(r.number) INTO v_job, v_n
	FROM sortie.job j
	LEFT JOIN sortie.run r ON r.number = j.number
		AND r.attempt > j.retried_at AND r.state = p_state
		AND (p_state <> 'returned'
			OR (r.started_at IS NOT NULL) = p_started)
	WHERE j.number = p_number
	GROUP BY j.definition;
	IF p_attempt = 32767 THEN
		RETURN NULL;
	ELSIF p_state = 'failed' THEN
		RETURN CASE WHEN v_n < coalesce((v_job->>'retries')::int, 0)
			THEN least(86400, coalesce((v_job->>'retry_delay')
			::bigint, 10) * (1::bigint << least(20, v_n))) END;
	ELSIF p_state = 'lost' THEN
		RETURN CASE WHEN v_n < p_loss_budget THEN 0 END;
	END IF;
	RETURN CASE WHEN v_n < CASE WHEN p_started THEN 19 ELSE 999 END
		THEN 0 END;
END $$;

-- Ends of runs, of one batch. Arrays run parallel; p_from is the pilot that
-- tells (0: the server itself, for runs of whichever pilot). The caller holds
-- the rows of the pilots, and gives o_left, o_freed and o_ended (the jobs that
-- ended for good) to settle_2 when it has done everything else. o_done: the
-- indexes (1-based) that ended a live run now; the others found none.
-- What becomes of the job: see the CASE and doc/STATES.md.
CREATE OR REPLACE FUNCTION sortie.runs_end_2(p_bucket int, p_loss_budget int,
	p_from bigint[], p_number bigint[], p_run bigint[],
	p_state sortie.run_state[], p_reason text[], p_exit int[],
	p_signal int[], p_ago bigint[], p_wall bigint[], p_started bool[],
	p_user bigint[], p_system bigint[], p_rss bigint[],
	p_out_size bigint[], p_err_size bigint[], p_out bytea[],
	p_err bytea[], p_incomplete smallint[], p_meta text[],
	OUT o_done int[], OUT o_left int[], OUT o_freed int[],
	OUT o_ended bigint[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_now timestamptz := clock_timestamp();
	v_n int;
	v_output bool := array_remove(p_out || p_err, NULL) <> '{}';
	v_meta bool := array_remove(p_meta, NULL) <> '{}';
	-- all of them
	x_kind int[]; x_class int[]; x_pilot bigint[];
	x_was sortie.job_state[]; x_fate text[]; x_job sortie.job_state[];
	x_started bool[];
	-- those that are tried again; b_due: NULL: at once
	b_number bigint[]; b_class int[]; b_place int[]; b_turn bigint[];
	b_attempt smallint[]; b_kind int[]; b_due timestamptz[];
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
	-- What each statement below needs comes first: rows are read so far.
	d AS (
		DELETE FROM sortie.live l USING e
		WHERE l.number = ANY (ARRAY[e.number]) AND l.run = e.run
			AND (e.pilot = 0 OR l.pilot = e.pilot)
		RETURNING e.ord, l.number, l.kind_id, l.class_id,
			l.pilot AS of_pilot, e.state, l.running, e.started,
			l.cancelling, l.deleting, l.attempt, l.place, l.turn,
			CASE WHEN e.state IN ('failed', 'lost', 'returned')
				THEN sortie.run_delay_1(p_loss_budget,
				l.number, l.attempt, e.state,
				e.started OR l.running) END AS delay_s,
			e.exit_code, e.signal, greatest(l.granted_at,
			l.started_at, v_now - e.ago
			* interval '1 millisecond') AS ended_at, e.reason,
			e.run, l.granted_at, l.started_at, e.wall, e.usr,
			e.sys, e.rss, e.out_size, e.err_size, e.incomplete,
			e.out, e.err, e.meta),
	x AS MATERIALIZED (
		SELECT d.*, d.started OR d.running AS was_started,
		CASE WHEN d.state IN ('finished', 'cancelled', 'timelimit')
				OR d.cancelling OR d.delay_s IS NULL THEN 'end'
			WHEN d.state = 'failed' THEN 'later'
			ELSE 'again' END AS fate,
		CASE WHEN d.state = 'finished'
				THEN 'finished'::sortie.job_state
			WHEN d.cancelling OR d.state = 'cancelled'
				THEN 'cancelled'
			WHEN d.state = 'returned' THEN 'lost'
			ELSE d.state::text::sortie.job_state END AS job_state
		FROM d),
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
			x.signal, x.ended_at, CASE
			WHEN x.state = 'returned' AND x.attempt = 32767
				THEN 'tried 32767 times'
			WHEN x.state = 'returned' AND x.was_started
				THEN 'drained 20 times'
			WHEN x.state = 'returned'
				THEN 'handed back unstarted 1000 times'
			WHEN x.cancelling AND x.state <> 'finished'
				THEN 'cancelled'
			ELSE coalesce(x.reason, '') END
		FROM x WHERE x.fate = 'end'),
	o AS (
		INSERT INTO sortie.output (number, attempt, stream, at, len,
			data, owner_id)
		SELECT x.number, x.attempt, 0, 0, length(x.out), x.out,
			k.owner_id
		FROM x JOIN sortie.kind k ON k.kind_id = x.kind_id
		WHERE v_output AND length(x.out) > 0
		UNION ALL
		SELECT x.number, x.attempt, 1, 0, length(x.err), x.err,
			k.owner_id
		FROM x JOIN sortie.kind k ON k.kind_id = x.kind_id
		WHERE v_output AND length(x.err) > 0
		ON CONFLICT DO NOTHING
		RETURNING owner_id, len),
	b AS (
		INSERT INTO sortie.stored (owner_id, what, bytes)
		SELECT o.owner_id, 'o', sum(o.len) FROM o
		GROUP BY o.owner_id),
	m AS (
		INSERT INTO sortie.run_meta (number, attempt, lines)
		SELECT x.number, x.attempt, x.meta::json
		FROM x WHERE v_meta AND x.meta IS NOT NULL)
	SELECT count(*), array_agg(x.ord::int), array_agg(x.kind_id),
		array_agg(x.class_id), array_agg(x.of_pilot),
		array_agg(CASE WHEN x.running
			THEN 'running'::sortie.job_state
			ELSE 'dispatched' END),
		array_agg(x.fate), array_agg(x.job_state),
		array_agg(x.started AND NOT x.running),
		array_agg(x.number) FILTER (WHERE x.fate = 'end'),
		array_agg(x.number) FILTER (WHERE x.fate = 'end'
			AND x.deleting),
		array_agg(x.number) FILTER (WHERE x.fate <> 'end'),
		array_agg(x.class_id) FILTER (WHERE x.fate <> 'end'),
		array_agg(x.place) FILTER (WHERE x.fate <> 'end'),
		array_agg(x.turn) FILTER (WHERE x.fate <> 'end'),
		array_agg((x.attempt + 1)::smallint)
			FILTER (WHERE x.fate <> 'end'),
		array_agg(x.kind_id) FILTER (WHERE x.fate <> 'end'),
		array_agg(CASE x.fate WHEN 'later' THEN x.ended_at
			+ x.delay_s * interval '1 second' END)
			FILTER (WHERE x.fate <> 'end')
	INTO v_n, o_done, x_kind, x_class, x_pilot, x_was, x_fate, x_job,
		x_started, o_ended, v_doomed, b_number, b_class, b_place,
		b_turn, b_attempt, b_kind, b_due
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
	FROM (SELECT sum(g.n)::int AS n,
			sum(g.n * c.cores)::int AS cores,
			sum(g.n * c.memory)::bigint AS memory,
			sum(g.done) AS done, (SELECT a.at
				FROM sortie.pilot_at_1(g.pilot) AS a) AS at
		FROM (SELECT y.pilot, y.class_id, count(*) AS n,
				count(*) FILTER (WHERE y.fate = 'end') AS done
			FROM unnest(x_pilot, x_class, x_fate)
				AS y(pilot, class_id, fate)
			GROUP BY y.pilot, y.class_id) AS g
		JOIN sortie.class c ON c.class_id = g.class_id
		GROUP BY g.pilot) AS u
	WHERE p.ctid = u.at;

	IF b_number IS NOT NULL THEN
		-- Again at once, at the same place in line, or later.
		PERFORM sortie.queue_put_1(array_agg(y.class_id),
			array_agg(y.place), array_agg(y.turn),
			array_agg(y.number), array_agg(y.attempt),
			array_agg(y.kind_id))
		FROM unnest(b_number, b_class, b_place, b_turn, b_attempt,
			b_kind, b_due) AS y(number, class_id, place, turn,
			attempt, kind_id, due)
		WHERE y.due IS NULL;
		INSERT INTO sortie.waiting (number, why, due, class_id,
			kind_id, project_id, place, turn, attempt, reason)
		SELECT y.number, 'time', y.due, y.class_id, y.kind_id,
			k.project_id, y.place, y.turn, y.attempt,
			'tried again after a failure'
		FROM unnest(b_number, b_class, b_place, b_turn, b_attempt,
			b_kind, b_due) AS y(number, class_id, place, turn,
			attempt, kind_id, due)
		JOIN sortie.kind k ON k.kind_id = y.kind_id
		WHERE y.due IS NOT NULL;
		SELECT array_agg(y.kind_id) INTO o_left
		FROM unnest(x_kind, x_fate) AS y(kind_id, fate)
		WHERE y.fate <> 'again';
	ELSE
		o_left := x_kind;
	END IF;

	PERFORM sortie.tally_add_1(p_bucket,
			array_agg(u.kind_id) || array_agg(u.kind_id),
			array_agg(u.was) || array_agg(CASE u.fate
				WHEN 'end' THEN u.job_state
				WHEN 'again' THEN 'defined'
				ELSE 'waiting' END),
			array_agg(-u.n) || array_agg(u.n)),
		sortie.tally_minute_add_1(p_bucket,
			array_agg(u.kind_id) FILTER (WHERE u.fate = 'end')
			|| array_agg(u.kind_id) FILTER (WHERE u.started),
			array_agg(u.job_state::text)
				FILTER (WHERE u.fate = 'end')
			|| array_agg('started'::text) FILTER (WHERE u.started),
			array_agg(u.n) FILTER (WHERE u.fate = 'end')
			|| array_agg(u.n) FILTER (WHERE u.started))
	FROM (SELECT y.kind_id, y.was, y.fate, y.job_state, y.started,
			count(*) AS n
		FROM unnest(x_kind, x_was, x_fate, x_job, x_started)
			AS y(kind_id, was, fate, job_state, started)
		GROUP BY 1, 2, 3, 4, 5) AS u;

	IF v_doomed IS NOT NULL THEN
		PERFORM sortie.jobs_forget_1(p_bucket, v_doomed);
	END IF;
	o_freed := x_class;
END $$;

-- Removes ended jobs and all that hangs on them. The caller has made sure that
-- they are in `ended`.
CREATE OR REPLACE FUNCTION sortie.jobs_forget_1(p_bucket int, p_number bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_kind int[];
	v_state sortie.job_state[];
	v_n bigint[];
	v_owner int[];
	v_bytes bigint[];
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
	WITH d AS (DELETE FROM sortie.output WHERE number = ANY (p_number)
		RETURNING owner_id, len)
	SELECT array_agg(d.owner_id), array_agg(-d.len::bigint)
	INTO v_owner, v_bytes FROM d;
	PERFORM sortie.stored_add_1('o', v_owner, v_bytes);
	DELETE FROM sortie.blob_use WHERE number = ANY (p_number);
	DELETE FROM sortie.job_tag WHERE number = ANY (p_number);
	DELETE FROM sortie.job_key WHERE number = ANY (p_number);
	DELETE FROM sortie.dataset_use WHERE number = ANY (p_number);
	DELETE FROM sortie.event WHERE job = ANY (p_number)
		AND kind <> 'submitted';
	WITH d AS (DELETE FROM sortie.job WHERE number = ANY (p_number)
		RETURNING kind_id, bytes)
	SELECT array_agg(k.owner_id), array_agg(-d.bytes::bigint)
	INTO v_owner, v_bytes
	FROM d JOIN sortie.kind k ON k.kind_id = d.kind_id;
	PERFORM sortie.stored_add_1('j', v_owner, v_bytes);
END $$;

-- A job that did not stand behind its workflow's gate runs all the same: it
-- takes a place there, beyond the maximum if need be. The caller holds the
-- workflow.
CREATE OR REPLACE FUNCTION sortie.share_enter_1(p_number bigint) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	UPDATE sortie.workflow g SET admitted = g.admitted + 1
	FROM sortie.node n
	WHERE g.workflow = n.workflow AND g.max_running IS NOT NULL
		AND n.number = p_number AND NOT n.admitted;
	IF FOUND THEN
		UPDATE sortie.node n SET admitted = true
		WHERE n.number = p_number;
	END IF;
END $$;

-- A run that was given up (lost) comes back to life when its own pilot (or the
-- successor on its spool) speaks of it and its job has neither a newer run nor
-- ended: it is in the queue still, or waits, for whatever. The caller holds
-- the pilot's row, and gives both results to settle_2.
--     o_class   NULL: it does not live; else the class of what it took
--     o_came    its kind when it came past its project's gate
-- 55P03: somebody is just doing something to the job.
CREATE OR REPLACE FUNCTION sortie.run_revive_1(p_bucket int, p_pilot bigint,
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
		-- Whoever opens a workflow's gate passes over locked jobs.
		PERFORM sortie.graph_lock_1((SELECT array_agg(w.number)
			FROM sortie.waiting w WHERE w.number = p_number),
			false);
		PERFORM 1 FROM sortie.waiting
		WHERE number = p_number AND attempt = r.attempt + 1
		FOR UPDATE NOWAIT;
		IF NOT FOUND THEN
			RETURN;
		END IF;
		PERFORM sortie.share_enter_1(p_number);
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
CREATE OR REPLACE FUNCTION sortie.pilot_gone_check_1(p_pilot bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT 1 FROM sortie.pilot p WHERE p.pilot = p_pilot
		AND p.end_state = 'lost' AND p.end_reason = 'lease expired') THEN
		RAISE EXCEPTION 'pilot % was given up just now', p_pilot
			USING ERRCODE = '40001';
	END IF;
END $$;

-- All live runs of pilots (only the inherited ones when so asked) are lost.
-- The caller holds the pilots' rows and settles, as for runs_end_2. o_n: runs.
CREATE OR REPLACE FUNCTION sortie.runs_lose_2(p_bucket int, p_loss_budget int,
	p_pilots bigint[], p_reason text, p_inherited bool,
	OUT o_n int, OUT o_left int[], OUT o_freed int[], OUT o_ended bigint[])
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
		SELECT x.o_left, x.o_freed, x.o_ended
		INTO o_left, o_freed, o_ended
		FROM sortie.runs_drop_2(p_bucket, p_loss_budget, v_number,
			v_run, v_started,
			array_fill('lost'::sortie.run_state, ARRAY[o_n]),
			p_reason) AS x;
	END IF;
END $$;

-- Runs end without a word from their pilots. p_state: lost or returned.
CREATE OR REPLACE FUNCTION sortie.runs_drop_2(p_bucket int, p_loss_budget int,
	p_number bigint[], p_run bigint[], p_started bool[],
	p_state sortie.run_state[], p_reason text,
	OUT o_left int[], OUT o_freed int[], OUT o_ended bigint[])
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
	SELECT x.o_left, x.o_freed, x.o_ended INTO o_left, o_freed, o_ended
	FROM sortie.runs_end_2(p_bucket, p_loss_budget,
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
