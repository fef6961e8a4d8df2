-- Trying again: single jobs, and jobs of graphs with what hangs on them.

-- As servers call it that want to hear of jobs alone.
CREATE OR REPLACE FUNCTION sortie.job_retry_1(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[], p_force bool)
RETURNS TABLE (number bigint, code text, message text, pilot bigint)
LANGUAGE sql AS $$
	SELECT r.number, r.code, r.message, r.pilot
	FROM sortie.job_retry_2(p_bucket, p_owner, p_projects, p_numbers,
		p_force) AS r
	WHERE r.what IS NULL
$$;

-- Tries ended jobs again: all but finished ones, these too with p_force. Those of
-- a graph take with them what was skipped below them.
CREATE OR REPLACE FUNCTION sortie.job_retry_2(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[], p_force bool)
RETURNS TABLE (number bigint, code text, message text, pilot bigint,
	what "char")
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	v record;
	e sortie.ended;
	v_mine bigint[] := sortie.jobs_mine_1(p_owner, p_projects, p_numbers);
	v_class int[] := '{}'; v_place int[] := '{}'; v_number bigint[] := '{}';
	v_attempt smallint[] := '{}'; v_kind int[] := '{}';
	v_states sortie.job_state[] := '{}';
	v_last smallint;
	v_again bigint[];
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	-- Classes may have gone to sleep since.
	PERFORM sortie.classes_wake_1(array_agg(j.class_id))
	FROM sortie.job j WHERE j.number = ANY (v_mine);
	PERFORM sortie.graph_lock_1(v_mine, true);
	FOR v IN SELECT DISTINCT n, j.kind_id, j.class_id, j.priority,
			g.workflow, g.cancelling IS NOT NULL
			AND g.ended_at IS NULL OR g.deleting AS going,
			t.message AS taken
		FROM unnest(p_numbers) AS n
		LEFT JOIN sortie.job j ON j.number = n AND n = ANY (v_mine)
		LEFT JOIN sortie.node m ON m.number = j.number
		LEFT JOIN sortie.workflow g ON g.workflow = m.workflow
		LEFT JOIN sortie.outputs_taken_1(v_mine) AS t ON t.job = n
		ORDER BY n
	LOOP
		number := v.n; code := NULL; message := NULL;
		IF v.kind_id IS NULL THEN
			code := 'not_found';
			message := 'there is no job ' || v.n;
			RETURN NEXT;
			CONTINUE;
		ELSIF v.going THEN
			code := 'conflict';
			message := 'job ' || v.n || ' belongs to workflow '
				|| v.workflow || ', which is being cancelled '
				'or deleted';
			RETURN NEXT;
			CONTINUE;
		END IF;
		SELECT coalesce(max(r.attempt), 0) INTO v_last
		FROM sortie.run r WHERE r.number = v.n;
		IF v.workflow IS NOT NULL AND v_last < 32767 AND EXISTS (
			SELECT 1 FROM sortie.ended x WHERE x.number = v.n
			AND (p_force OR x.state <> 'finished')) THEN
			IF v.taken IS NOT NULL THEN
				code := 'conflict';
				message := 'job ' || v.n
					|| ' cannot be tried again: '
					|| v.taken;
			ELSE
				v_again := v_again || v.n;
			END IF;
			RETURN NEXT;
			CONTINUE;
		END IF;
		DELETE FROM sortie.ended x WHERE x.number = v.n
			AND v.workflow IS NULL
			AND (p_force OR x.state <> 'finished')
			AND v_last < 32767
		RETURNING * INTO e;
		IF FOUND THEN
			-- Its retries and losses are counted anew.
			UPDATE sortie.job j SET retried_at = v_last
			WHERE j.number = v.n AND j.retried_at <> v_last;
			v_class := v_class || v.class_id;
			v_place := v_place || ~v.priority;
			v_number := v_number || v.n;
			v_attempt := v_attempt || (v_last + 1)::smallint;
			v_kind := v_kind || v.kind_id;
			v_states := v_states || e.state;
			INSERT INTO sortie.event (kind, job, text)
			VALUES ('retried', v.n, 'was ' || e.state);
		ELSE
			code := 'conflict';
			message := CASE WHEN v_last = 32767 THEN 'job ' || v.n
				|| ' has been tried ' || v_last || ' times'
				ELSE 'job ' || v.n || ' is '
				|| coalesce(sortie.job_state_1(v.n)::text,
					'deleted')
				|| CASE WHEN sortie.job_state_1(v.n)
					= 'finished' AND NOT p_force
				THEN ': retry it with --force' ELSE
				': only ended jobs can be tried again' END
				END;
		END IF;
		RETURN NEXT;
	END LOOP;
	IF v_again IS NOT NULL THEN
		PERFORM sortie.workflow_again_1(v_again);
		v_again := sortie.graph_again_2(p_bucket, v_again, 1000, 100);
		PERFORM sortie.projects_lock_1((SELECT array_agg(j.kind_id)
			FROM sortie.job j
			WHERE j.number = ANY (v_again || v_number)));
		RETURN QUERY SELECT s.number, NULL, NULL, NULL::bigint, s.what
		FROM sortie.graph_settle_1(p_bucket, NULL, NULL, NULL, NULL,
			NULL, NULL, v_again, 256, 64) AS s
		WHERE s.what <> 'w';
	END IF;
	IF cardinality(v_number) > 0 THEN
		PERFORM sortie.tally_add_1(p_bucket, v_kind, v_states,
			array_fill(-1::bigint,
				ARRAY[cardinality(v_number)]));
		PERFORM sortie.line_up_2(p_bucket, NULL, v_class, v_place,
			v_number, v_attempt, v_kind);
	END IF;
END $$;

-- Ended jobs of graphs wait again, for their conditions. Locks taken by the
-- caller: their workflows. Sets all counters but those of workflows.
CREATE OR REPLACE FUNCTION sortie.graph_back_1(p_bucket int, p_number bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_kind int[];
	v_was sortie.job_state[];
	v_n int[];
BEGIN
	WITH d AS (
		DELETE FROM sortie.ended e WHERE e.number = ANY (p_number)
		RETURNING e.number, e.kind_id, e.state),
	x AS MATERIALIZED (
		SELECT d.*, j.class_id, j.priority, k.project_id, (SELECT
			coalesce(max(r.attempt), 0) FROM sortie.run r
			WHERE r.number = d.number)::smallint AS last,
			n.workflow
		FROM d
		JOIN sortie.job j ON j.number = d.number
		JOIN sortie.kind k ON k.kind_id = d.kind_id
		JOIN sortie.node n ON n.number = d.number),
	w AS (
		INSERT INTO sortie.waiting (number, why, class_id, kind_id,
			project_id, place, turn, attempt, workflow)
		SELECT x.number, 'after', x.class_id, x.kind_id, x.project_id,
			~x.priority, 0, x.last + 1, x.workflow
		FROM x),
	j AS (
		UPDATE sortie.job j SET retried_at = x.last
		FROM x WHERE j.number = x.number AND j.retried_at <> x.last),
	v AS (
		INSERT INTO sortie.event (kind, job, text)
		SELECT 'retried', x.number, 'was ' || x.state FROM x)
	SELECT array_agg(x.kind_id), array_agg(x.state) INTO v_kind, v_was
	FROM x;
	v_n := ARRAY[cardinality(v_kind)];
	PERFORM sortie.tally_add_1(p_bucket, v_kind || v_kind,
		v_was || array_fill('waiting'::sortie.job_state, v_n),
		array_fill(-1::bigint, v_n) || array_fill(1::bigint, v_n));
END $$;

-- Those of the jobs, of graphs, that have ended and may write what they write;
-- of others an event says why not. NULL: none.
CREATE OR REPLACE FUNCTION sortie.again_may_1(p_number bigint[])
RETURNS bigint[] LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_taken bigint[];
BEGIN
	WITH t AS MATERIALIZED (
		SELECT t.job, t.message
		FROM sortie.outputs_taken_1(p_number) AS t),
	v AS (
		INSERT INTO sortie.event (kind, job, text)
		SELECT 'not retried', t.job, t.message FROM t)
	SELECT array_agg(t.job) INTO v_taken FROM t;
	RETURN (SELECT array_agg(e.number) FROM sortie.ended e
		WHERE e.number = ANY (p_number)
		AND (v_taken IS NULL OR NOT e.number = ANY (v_taken)));
END $$;

-- Tries ended jobs of graphs again, and the skipped ones below them that have
-- no other reason to be skipped: at most p_max of them, in at most p_waves
-- generations. The others are left in `again`, which a duty goes on with, and
-- while one of its jobs is there a workflow does not end. Edges from all of
-- these are untold again; what ran meanwhile is not undone. The caller holds
-- the workflows, has woken the classes of p_number, and looks at the jobs that
-- are returned.
CREATE OR REPLACE FUNCTION sortie.graph_again_2(p_bucket int, p_number bigint[],
	p_max int, p_waves int) RETURNS bigint[]
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_all bigint[] := '{}';
	v_rest bigint[] := '{}';
	v_now bigint[] := p_number;
	v_asleep bigint[];
	v_child bigint[];
	v_left int := p_max;
	v_waves int := p_waves;
BEGIN
	WHILE v_now IS NOT NULL LOOP
		IF v_left <= 0 OR v_waves <= 0 THEN
			v_rest := v_rest || v_now;
			EXIT;
		END IF;
		v_rest := v_rest || v_now[v_left + 1 :];
		v_now := sortie.again_may_1(v_now[: v_left]);
		EXIT WHEN v_now IS NULL;
		v_left := v_left - cardinality(v_now);
		v_waves := v_waves - 1;
		v_all := v_all || v_now;
		UPDATE sortie.workflow g SET n_ended = g.n_ended - c.n,
			n_bad = g.n_bad - c.bad
		FROM (SELECT n.workflow, count(*)::int AS n,
				(count(*) FILTER (WHERE NOT n.allow_failure
				AND e.state IN ('failed', 'timelimit', 'lost',
				'cancelled')))::int AS bad
			FROM unnest(v_now) AS u(number)
			JOIN sortie.node n ON n.number = u.number
			JOIN sortie.ended e ON e.number = u.number
			GROUP BY n.workflow) AS c
		WHERE g.workflow = c.workflow;
		PERFORM sortie.graph_back_1(p_bucket, v_now);
		DELETE FROM sortie.firing f WHERE f.number = ANY (v_now);
		SELECT array_agg(DISTINCT d.child) INTO v_child
		FROM sortie.edge d WHERE d.parent = ANY (v_now);
		PERFORM sortie.plans_1(cardinality(v_child));
		UPDATE sortie.node n SET open = c.open, met = c.met,
			unmet = c.unmet
		FROM (SELECT u.child, (count(*) - count(d.met))::int AS open,
				coalesce(bool_or(d.met), false) AS met,
				coalesce(bool_or(NOT d.met), false) AS unmet
			FROM unnest(v_child) AS u(child)
			JOIN sortie.edges_1() AS d ON d.child = u.child
			GROUP BY u.child) AS c
		WHERE n.number = c.child;
		-- A class is woken before any row is locked: next time.
		WITH c AS MATERIALIZED (
			SELECT n.number, j.class_id
			FROM unnest(v_child) AS u(child)
			JOIN sortie.node n ON n.number = u.child
			JOIN sortie.ended e ON e.number = n.number
				AND e.state = 'skipped'
			JOIN sortie.job j ON j.number = n.number
			WHERE n.any_of OR NOT n.unmet),
		a AS MATERIALIZED (
			SELECT x.class_id, sortie.class_awake_1(x.class_id)
				AS awake
			FROM (SELECT DISTINCT class_id FROM c) AS x)
		SELECT array_agg(c.number) FILTER (WHERE a.awake),
			array_agg(c.number) FILTER (WHERE NOT a.awake)
		INTO v_now, v_asleep
		FROM c JOIN a ON a.class_id = c.class_id;
		v_rest := v_rest || v_asleep;
	END LOOP;
	INSERT INTO sortie.again (workflow, number)
	SELECT n.workflow, n.number FROM unnest(v_rest) AS u(number)
	JOIN sortie.node n ON n.number = u.number
	ON CONFLICT DO NOTHING;
	WITH x AS MATERIALIZED (
		SELECT d.dataset FROM sortie.dataset_use u
		JOIN sortie.dataset d ON d.dataset = u.dataset
			AND d.state = 'missing' AND d.producer = ANY (v_all)
		WHERE u.number = ANY (v_all) AND u.role = 'o'
		FOR NO KEY UPDATE OF d NOWAIT)
	UPDATE sortie.dataset d SET state = 'declared', updated_at = now()
	FROM x WHERE d.dataset = x.dataset;
	RETURN v_all;
END $$;

-- The workflows of jobs that are to be tried again run again. The caller holds
-- them.
CREATE OR REPLACE FUNCTION sortie.workflow_again_1(p_number bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	WITH g AS (
		UPDATE sortie.workflow g SET ended_at = NULL,
			cancelling = NULL, cancel_after = NULL,
			generation = g.generation + 1,
			state = CASE WHEN g.state = 'held' THEN 'held'
				ELSE 'running' END,
			started_at = CASE WHEN g.state = 'held' THEN NULL
				ELSE coalesce(g.started_at, now()) END
		WHERE g.workflow IN (SELECT n.workflow FROM sortie.node n
			WHERE n.number = ANY (p_number))
		RETURNING g.*)
	INSERT INTO sortie.event (kind, owner_id, text, detail)
	SELECT 'workflow retried', g.owner_id, 'workflow ' || g.workflow,
		json_build_object('workflow', g.workflow, 'generation',
		g.generation)
	FROM g;
END $$;
