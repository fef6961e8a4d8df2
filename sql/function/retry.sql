-- Trying again: single jobs, and jobs of graphs with what hangs on them.

-- Tries ended jobs again: all but finished ones, these too with p_force. Those of
-- a graph take with them what was skipped below them.
CREATE OR REPLACE FUNCTION sortie.job_retry_1(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[], p_force bool)
RETURNS TABLE (number bigint, code text, message text, pilot bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	v record;
	e sortie.ended;
	v_class int[] := '{}'; v_place int[] := '{}'; v_number bigint[] := '{}';
	v_attempt smallint[] := '{}'; v_kind int[] := '{}';
	v_states sortie.job_state[] := '{}';
	v_last smallint;
	v_again bigint[];
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	-- Classes may have gone to sleep since.
	PERFORM sortie.classes_wake_1(array_agg(j.class_id))
	FROM sortie.job j WHERE j.number = ANY (p_numbers)
		AND sortie.may_touch_1(j.kind_id, p_owner, p_projects);
	PERFORM sortie.graph_wake_1(array_agg(DISTINCT m.workflow))
	FROM sortie.node m WHERE m.number = ANY (p_numbers);
	PERFORM sortie.graph_lock_1(p_numbers, true);
	FOR v IN SELECT DISTINCT n, j.kind_id, j.class_id, j.priority,
			g.workflow, g.cancelling IS NOT NULL
			AND g.ended_at IS NULL OR g.deleting AS going
		FROM unnest(p_numbers) AS n
		LEFT JOIN sortie.job j ON j.number = n
			AND sortie.may_touch_1(j.kind_id, p_owner, p_projects)
		LEFT JOIN sortie.node m ON m.number = j.number
		LEFT JOIN sortie.workflow g ON g.workflow = m.workflow
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
			v_again := v_again || v.n;
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
		PERFORM sortie.projects_lock_1((SELECT array_agg(j.kind_id)
			FROM sortie.job j WHERE j.number = ANY (p_numbers)));
		PERFORM sortie.graph_settle_1(p_bucket, NULL, NULL, NULL, NULL,
			NULL, NULL, sortie.graph_again_1(p_bucket, v_again),
			256, 64);
	END IF;
	IF cardinality(v_number) > 0 THEN
		PERFORM sortie.tally_add_1(p_bucket, v_kind, v_states,
			array_fill(-1::bigint,
				ARRAY[cardinality(v_number)]));
		PERFORM sortie.line_up_1(p_bucket, v_class, v_place, v_number,
			v_attempt, v_kind);
	END IF;
END $$;

-- Wakes the classes of all jobs of workflows that may be tried again.
CREATE OR REPLACE FUNCTION sortie.graph_wake_1(p_workflow bigint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_class int[];
BEGIN
	SELECT array_agg(DISTINCT j.class_id) INTO v_class
	FROM sortie.node n
	JOIN sortie.ended e ON e.number = n.number AND e.state <> 'finished'
	JOIN sortie.job j ON j.number = n.number
	WHERE n.workflow = ANY (p_workflow);
	IF v_class IS NOT NULL THEN
		PERFORM sortie.classes_wake_1(v_class);
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

-- Tries ended jobs of graphs again, and the skipped ones below them that have
-- no other reason to be skipped. Edges from all of these are untold again; what
-- ran meanwhile is not undone. The caller holds the workflows and looks at the
-- jobs that are returned.
CREATE OR REPLACE FUNCTION sortie.graph_again_1(p_bucket int, p_number bigint[])
RETURNS bigint[] LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_all bigint[] := '{}';
	v_now bigint[] := p_number;
	v_child bigint[];
BEGIN
	WHILE v_now IS NOT NULL LOOP
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
		v_all := v_all || v_now;
		DELETE FROM sortie.firing f USING sortie.node n
		WHERE n.number = ANY (v_now) AND f.workflow = n.workflow
			AND f.number = n.number;
		WITH d AS (
			UPDATE sortie.edge d SET fired = NULL
			WHERE d.parent = ANY (v_now) AND d.fired IS NOT NULL
			RETURNING d.child)
		SELECT array_agg(DISTINCT d.child) INTO v_child FROM d;
		UPDATE sortie.node n SET open = c.open, met = c.met,
			unmet = c.unmet
		FROM (SELECT u.child, count(*) FILTER (WHERE d.fired IS NULL)
				::int AS open,
				bool_or(coalesce(d.fired, false)) AS met,
				bool_or(NOT coalesce(d.fired, true)) AS unmet
			FROM unnest(v_child) AS u(child)
			JOIN sortie.edge d ON d.child = u.child
			GROUP BY u.child) AS c
		WHERE n.number = c.child;
		SELECT array_agg(n.number) INTO v_now
		FROM unnest(v_child) AS u(child)
		JOIN sortie.node n ON n.number = u.child
		JOIN sortie.ended e ON e.number = n.number
			AND e.state = 'skipped'
		WHERE CASE WHEN n.any_of THEN true ELSE NOT n.unmet END;
	END LOOP;
	WITH x AS MATERIALIZED (
		SELECT d.dataset FROM sortie.dataset_use u
		JOIN sortie.dataset d ON d.dataset = u.dataset
			AND d.state = 'missing' AND d.producer = ANY (v_all)
		WHERE u.number = ANY (v_all) AND u.role = 'o'
		FOR NO KEY UPDATE OF d NOWAIT)
	UPDATE sortie.dataset d SET state = 'declared', updated_at = now()
	FROM x WHERE d.dataset = x.dataset;
	WITH g AS (
		UPDATE sortie.workflow g SET ended_at = NULL,
			cancelling = NULL, cancel_after = NULL,
			generation = g.generation + 1,
			state = CASE WHEN g.state = 'held' THEN 'held'
				ELSE 'running' END,
			started_at = CASE WHEN g.state = 'held' THEN NULL
				ELSE coalesce(g.started_at, now()) END
		WHERE g.workflow IN (SELECT n.workflow FROM sortie.node n
			WHERE n.number = ANY (v_all))
		RETURNING g.*)
	INSERT INTO sortie.event (kind, owner_id, text, detail)
	SELECT 'workflow retried', g.owner_id, 'workflow ' || g.workflow,
		json_build_object('workflow', g.workflow, 'generation',
		g.generation)
	FROM g;
	RETURN v_all;
END $$;
