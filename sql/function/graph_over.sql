-- What hangs on the ends of jobs of a graph: the counters of their workflows,
-- their places behind its gate, the datasets they should have made, and the end
-- of the workflow. The caller holds the workflows (graph.sql).

-- Jobs that left their workflow's gate for good, or were held: their places
-- behind it are free.
CREATE OR REPLACE FUNCTION sortie.share_leave_1(p_number bigint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	WITH l AS (
		UPDATE sortie.node n SET admitted = false
		WHERE n.number = ANY (p_number) AND n.admitted
		RETURNING n.workflow)
	UPDATE sortie.workflow g SET admitted = g.admitted - c.n
	FROM (SELECT l.workflow, count(*)::int AS n FROM l
		GROUP BY l.workflow) AS c
	WHERE g.workflow = c.workflow;
END $$;

-- Takes jobs of a workflow out from behind its gate while there is room (all of
-- them without a maximum): out of `waiting`, for line_up_2. The caller holds
-- the workflow and takes the counters of where they were (waiting) down.
CREATE OR REPLACE FUNCTION sortie.share_take_1(p_workflow bigint, p_max int,
	OUT o_class int[], OUT o_place int[], OUT o_number bigint[],
	OUT o_attempt smallint[], OUT o_kind int[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_room int;
	v_gated bool;
BEGIN
	SELECT least(p_max, CASE WHEN g.max_running IS NULL THEN p_max
		ELSE g.max_running - g.admitted END), g.max_running IS NOT NULL
	INTO v_room, v_gated FROM sortie.workflow g
	WHERE g.workflow = p_workflow AND g.state = 'running'
		AND g.cancelling IS NULL;
	IF v_room IS NULL OR v_room <= 0 THEN
		RETURN;
	END IF;
	WITH d AS (
		DELETE FROM sortie.waiting WHERE number IN (
			SELECT w.number FROM sortie.waiting w
			WHERE w.why = 'share' AND w.workflow = p_workflow
			ORDER BY w.place, w.number LIMIT v_room
			FOR UPDATE SKIP LOCKED)
		RETURNING class_id, place, number, attempt, kind_id)
	SELECT array_agg(d.class_id), array_agg(d.place), array_agg(d.number),
		array_agg(d.attempt), array_agg(d.kind_id)
	INTO o_class, o_place, o_number, o_attempt, o_kind FROM d;
	IF v_gated AND o_number IS NOT NULL THEN
		UPDATE sortie.node n SET admitted = true
		WHERE n.number = ANY (o_number);
		UPDATE sortie.workflow g
		SET admitted = g.admitted + cardinality(o_number)
		WHERE g.workflow = p_workflow;
	END IF;
END $$;

-- Counts jobs that ended: their workflows, how they ended (NULL: they were only
-- held), whether that is bad (NULL: no). Returns workflows that are complete
-- now.
CREATE OR REPLACE FUNCTION sortie.graph_count_2(p_workflow bigint[],
	p_state sortie.job_state[], p_bad bool[]) RETURNS bigint[]
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_full bigint[];
BEGIN
	WITH m AS (
		UPDATE sortie.workflow g SET n_ended = g.n_ended + c.n,
			n_bad = g.n_bad + c.bad
		FROM (SELECT u.workflow, count(u.state)::int AS n,
				(count(*) FILTER (WHERE u.bad))::int AS bad
			FROM unnest(p_workflow, p_state, p_bad)
				AS u(workflow, state, bad)
			GROUP BY u.workflow) AS c
		WHERE g.workflow = c.workflow
		RETURNING g.workflow, g.n_ended = g.n_jobs AS is_full)
	SELECT array_agg(m.workflow) FILTER (WHERE m.is_full) INTO v_full
	FROM m;
	RETURN v_full;
END $$;

-- The datasets that jobs which ended should have made. Datasets come before
-- workflows: those that somebody has are not waited for.
CREATE OR REPLACE FUNCTION sortie.datasets_ended_1(p_ended bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	WITH x AS MATERIALIZED (
		SELECT d.dataset, e.state, e.number, (SELECT max(r.attempt)
			FROM sortie.run r WHERE r.number = e.number) AS attempt
		FROM unnest(p_ended) AS i(number)
		JOIN sortie.dataset_use u ON u.number = i.number
			AND u.role = 'o'
		JOIN sortie.ended e ON e.number = ANY (ARRAY[i.number])
		JOIN sortie.node n ON n.number = i.number AND NOT n.noop
		JOIN sortie.dataset d ON d.dataset = u.dataset
			AND d.state = 'declared'
		FOR NO KEY UPDATE OF d NOWAIT)
	UPDATE sortie.dataset d
	SET state = CASE x.state WHEN 'finished' THEN 'ready'
			ELSE 'missing' END, updated_at = now(),
		producer = coalesce(d.producer, x.number),
		producer_run = coalesce(x.attempt, d.producer_run)
	FROM x WHERE d.dataset = x.dataset;
END $$;

-- The first failures in workflows that are to be cancelled by one. Returns
-- them.
CREATE OR REPLACE FUNCTION sortie.graph_failure_1(p_ended bigint[])
RETURNS bigint[] LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_flow bigint[];
BEGIN
	WITH f AS MATERIALIZED (
		SELECT DISTINCT ON (n.workflow) n.workflow, n.name, e.state
		FROM unnest(p_ended) AS u(number)
		JOIN sortie.node n ON n.number = ANY (ARRAY[u.number])
			AND NOT n.allow_failure
		JOIN sortie.ended e ON e.number = ANY (ARRAY[n.number])
			AND e.state IN ('failed', 'timelimit', 'lost')
		ORDER BY n.workflow, e.ended_at, n.number),
	m AS (
		UPDATE sortie.workflow g SET cancelling = 'failure',
			cancel_after = 0, open = false,
			cancel_reason = format('the workflow''s job "%s" %s',
				f.name, CASE f.state WHEN 'failed'
				THEN 'failed' WHEN 'lost' THEN 'was lost'
				ELSE 'ran into its time limit' END)
		FROM f
		WHERE g.workflow = f.workflow AND g.on_failure = 'cancel'
			AND g.cancelling IS NULL
		RETURNING g.workflow)
	SELECT array_agg(m.workflow) INTO v_flow FROM m;
	RETURN v_flow;
END $$;

-- Workflows whose jobs have all ended end, if no more can come and none is to be
-- tried again. Returns them.
CREATE OR REPLACE FUNCTION sortie.workflow_over_1(p_workflow bigint[])
RETURNS bigint[] LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_flow bigint[];
BEGIN
	WITH o AS (
		UPDATE sortie.workflow g SET ended_at = clock_timestamp(),
			open = false, cancel_after = NULL,
			state = CASE WHEN g.cancelling = 'hand'
				THEN 'cancelled' WHEN g.n_bad > 0
				THEN 'failed' ELSE 'finished' END
		WHERE g.workflow = ANY (p_workflow)
			AND g.state IN ('held', 'running')
			AND g.n_ended = g.n_jobs
			AND (g.n_jobs > 0 OR g.state = 'running'
				OR g.cancelling IS NOT NULL)
			AND (NOT g.open OR g.close_auto AND g.n_jobs > 0)
			AND NOT EXISTS (SELECT 1 FROM sortie.again a
				WHERE a.workflow = g.workflow)
		RETURNING g.*),
	e AS (
		INSERT INTO sortie.event (kind, owner_id, text, detail)
		SELECT 'workflow ended', o.owner_id, 'workflow ' || o.workflow
			|| ': ' || o.state, json_build_object('workflow',
			o.workflow, 'state', o.state, 'jobs', o.n_jobs, 'bad',
			o.n_bad, 'generation', o.generation)
		FROM o),
	c AS (
		INSERT INTO sortie.callback (url, body, workflow)
		SELECT u.url, json_build_object('workflow', o.workflow, 'id',
			o.id, 'name', o.name, 'state', o.state, 'jobs',
			o.n_jobs, 'bad', o.n_bad, 'generation', o.generation,
			'ended_at', sortie.utc_1(o.ended_at))::text, o.workflow
		FROM o CROSS JOIN LATERAL json_array_elements_text(
			CASE json_typeof(o.callback) WHEN 'array'
			THEN o.callback ELSE json_build_array(o.callback) END)
			AS u(url)
		WHERE o.callback IS NOT NULL)
	SELECT array_agg(o.workflow) INTO v_flow FROM o;
	RETURN v_flow;
END $$;
