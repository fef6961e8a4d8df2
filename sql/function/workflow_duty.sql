-- What duties do to workflows: starting, cancelling, trying again, changing
-- priorities and forgetting go in steps.

-- Cancels the next jobs of a workflow that is being cancelled, at most p_max of
-- them. more: come again at once.
CREATE OR REPLACE FUNCTION sortie.workflow_cancel_step_1(p_bucket int, p_max int,
	OUT n bigint, OUT more bool, OUT classes int[], OUT pilots bigint[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	g sortie.workflow;
	v_number bigint[];
	v_last bigint;
BEGIN
	n := 0;
	more := false;
	IF NOT EXISTS (SELECT 1 FROM sortie.workflow w
		WHERE w.cancel_after IS NOT NULL) THEN
		RETURN;
	END IF;
	PERFORM pg_advisory_xact_lock(7008);
	SELECT * INTO g FROM sortie.workflow w
	WHERE w.cancel_after IS NOT NULL ORDER BY w.workflow LIMIT 1;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	-- The numbers are read without a lock: what ends meanwhile is refused
	-- below, and nothing gets into line any more.
	SELECT array_agg(x.number) FILTER (WHERE NOT EXISTS (SELECT 1
			FROM sortie.ended e WHERE e.number = x.number)),
		max(x.number), count(*)
	INTO v_number, v_last, n
	FROM (SELECT m.number FROM sortie.node m
		WHERE m.workflow = g.workflow AND m.number > g.cancel_after
		ORDER BY m.number LIMIT p_max) AS x;
	IF v_number IS NOT NULL THEN
		SELECT array_agg(DISTINCT c.pilot) INTO pilots
		FROM sortie.job_cancel_3(p_bucket, NULL, '{}', v_number,
			false, g.cancel_reason) AS c
		WHERE c.pilot IS NOT NULL;
	END IF;
	-- It may have ended by that, or been tried again by nobody: 7008.
	UPDATE sortie.workflow w
	SET cancel_after = CASE WHEN n = p_max THEN v_last END
	WHERE w.workflow = g.workflow AND w.cancel_after IS NOT NULL;
	more := EXISTS (SELECT 1 FROM sortie.workflow w
		WHERE w.cancel_after IS NOT NULL);
END $$;

-- Tries the next jobs of a workflow again that are in `again`, about p_max of
-- them. more: come again at once.
CREATE OR REPLACE FUNCTION sortie.workflow_retry_step_1(p_bucket int, p_max int,
	OUT n bigint, OUT more bool, OUT classes int[], OUT pilots bigint[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	g sortie.workflow;
	v_flow bigint;
	v_number bigint[];
	v_again bigint[];
BEGIN
	n := 0;
	more := false;
	-- Any of them, so that a large one does not keep small ones waiting.
	SELECT a.workflow INTO v_flow
	FROM (SELECT min(x.workflow) AS lo, max(x.workflow) AS hi
		FROM sortie.again x) AS s
	JOIN LATERAL (SELECT x.workflow FROM sortie.again x
		WHERE x.workflow >= s.lo + floor(random()
			* (s.hi - s.lo + 1))::bigint
		ORDER BY x.workflow LIMIT 1) AS a ON true;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	PERFORM pg_advisory_xact_lock(7008);
	v_number := ARRAY(SELECT a.number FROM sortie.again a
		WHERE a.workflow = v_flow ORDER BY a.number LIMIT p_max);
	PERFORM sortie.classes_wake_1(array_agg(DISTINCT j.class_id))
	FROM sortie.job j WHERE j.number = ANY (v_number);
	SELECT * INTO g FROM sortie.workflow w WHERE w.workflow = v_flow
	FOR NO KEY UPDATE;
	IF g.cancelling IS NOT NULL THEN
		DELETE FROM sortie.again a WHERE a.workflow = v_flow;
	ELSE
		WITH d AS (
			DELETE FROM sortie.again a WHERE a.workflow = v_flow
				AND a.number = ANY (v_number)
			RETURNING a.number)
		-- What was told meanwhile may be another reason to be skipped.
		SELECT array_agg(d.number) INTO v_again FROM d
		JOIN sortie.node m ON m.number = d.number
		JOIN sortie.ended e ON e.number = m.number
			AND (e.state <> 'skipped' OR m.any_of OR NOT m.unmet);
	END IF;
	IF v_again IS NOT NULL THEN
		SELECT array_agg(s.number::int) FILTER (WHERE s.what = 'w')
		INTO classes
		FROM sortie.graph_settle_1(p_bucket, NULL, NULL, NULL, NULL,
			NULL, NULL, sortie.graph_again_2(p_bucket, v_again,
				p_max, 100), 1000, 1000) AS s;
	END IF;
	PERFORM sortie.workflow_over_1(ARRAY[v_flow]);
	n := cardinality(v_number);
	more := EXISTS (SELECT 1 FROM sortie.again);
END $$;

-- Gives the next jobs of a workflow, at most p_max, its new priority. more:
-- come again at once.
CREATE OR REPLACE FUNCTION sortie.workflow_priority_step_1(p_bucket int,
	p_max int, OUT n bigint, OUT more bool, OUT classes int[],
	OUT pilots bigint[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	g sortie.workflow;
	v_below bigint;
BEGIN
	n := 0;
	more := false;
	IF NOT EXISTS (SELECT 1 FROM sortie.workflow w
		WHERE w.priority_below IS NOT NULL) THEN
		RETURN;
	END IF;
	PERFORM pg_advisory_xact_lock(7008);
	SELECT * INTO g FROM sortie.workflow w
	WHERE w.priority_below IS NOT NULL ORDER BY w.workflow LIMIT 1;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	v_below := sortie.workflow_priority_1(p_bucket, g.workflow,
		g.priority_below, g.priority, p_max);
	UPDATE sortie.workflow w SET priority_below = v_below
	WHERE w.workflow = g.workflow;
	n := p_max;
	more := EXISTS (SELECT 1 FROM sortie.workflow w
		WHERE w.priority_below IS NOT NULL);
END $$;

-- Looks at the next jobs of a workflow that has begun, or whose gate has opened,
-- at most p_max of them. more: come again at once.
CREATE OR REPLACE FUNCTION sortie.workflow_look_step_1(p_bucket int, p_max int,
	OUT n bigint, OUT more bool, OUT classes int[], OUT pilots bigint[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	g sortie.workflow;
BEGIN
	n := 0;
	more := false;
	SELECT * INTO g FROM sortie.workflow w WHERE w.look_after IS NOT NULL
	ORDER BY w.workflow LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
	IF FOUND THEN
		SELECT x.o_class INTO classes
		FROM sortie.workflow_look_1(p_bucket, g.workflow,
			g.look_after, p_max) AS x;
		n := p_max;
	END IF;
	more := EXISTS (SELECT 1 FROM sortie.workflow w
		WHERE w.look_after IS NOT NULL);
END $$;

-- Removes at most p_max jobs of ended workflows that are to be deleted, and
-- those workflows. p_keep_s: workflows that ended longer ago are deleted, 0:
-- none. more: come again at once.
CREATE OR REPLACE FUNCTION sortie.workflow_forget_1(p_bucket int, p_max int,
	p_keep_s bigint, OUT n bigint, OUT more bool)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	v_flow bigint;
	v_doomed bigint[];
BEGIN
	n := 0;
	more := false;
	IF NOT pg_try_advisory_xact_lock(7006) THEN
		RETURN;
	END IF;
	SELECT w.workflow INTO v_flow FROM sortie.workflow w
	WHERE w.deleting AND w.ended_at IS NOT NULL
	ORDER BY w.workflow LIMIT 1 FOR UPDATE SKIP LOCKED;
	IF NOT FOUND AND p_keep_s > 0 THEN
		SELECT w.workflow INTO v_flow FROM sortie.workflow w
		WHERE w.ended_at < now() - make_interval(secs => p_keep_s)
		ORDER BY w.ended_at LIMIT 1 FOR UPDATE SKIP LOCKED;
		UPDATE sortie.workflow w SET deleting = true
		WHERE w.workflow = v_flow;
	END IF;
	IF v_flow IS NULL THEN
		RETURN;
	END IF;
	SELECT array_agg(x.number), count(*) INTO v_doomed, n
	FROM (SELECT m.number FROM sortie.node m WHERE m.workflow = v_flow
		ORDER BY m.number LIMIT p_max) AS x;
	IF n > 0 THEN
		UPDATE sortie.workflow w SET n_jobs = w.n_jobs - n,
			n_ended = w.n_ended - n, n_bad = w.n_bad - c.bad
		FROM (SELECT count(*) AS bad FROM sortie.node m
			JOIN sortie.ended e ON e.number = m.number
			AND e.state IN ('failed', 'timelimit', 'lost',
				'cancelled')
			WHERE m.number = ANY (v_doomed)
			AND NOT m.allow_failure) AS c
		WHERE w.workflow = v_flow;
		PERFORM sortie.graph_forget_1(v_flow, v_doomed);
		PERFORM sortie.jobs_forget_1(p_bucket, v_doomed);
	END IF;
	IF n < p_max THEN
		DELETE FROM sortie.workflow w WHERE w.workflow = v_flow;
	END IF;
	more := true;
END $$;

-- Removes what a workflow says of jobs.
CREATE OR REPLACE FUNCTION sortie.graph_forget_1(p_workflow bigint,
	p_number bigint[]) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	DELETE FROM sortie.firing f WHERE f.workflow = p_workflow
		AND f.number = ANY (p_number);
	DELETE FROM sortie.again a WHERE a.workflow = p_workflow
		AND a.number = ANY (p_number);
	DELETE FROM sortie.edge d WHERE d.parent = ANY (p_number);
	DELETE FROM sortie.edge d WHERE d.child = ANY (p_number);
	DELETE FROM sortie.dataset_use u WHERE u.number = ANY (p_number);
	DELETE FROM sortie.node n WHERE n.number = ANY (p_number);
END $$;
