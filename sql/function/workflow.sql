-- What people do to workflows.
--
-- Every action takes who asks as actions on jobs do (p_owner NULL: an
-- administrator), and answers one row: code and message when it was refused,
-- classes that got work, pilots that got orders, whether a step by a duty must
-- follow (more), and how many jobs it is about (changed): that begin, that are to
-- be cancelled, that ended badly and are tried again, that get the priority.

-- Whether there is such a workflow for whoever asks. What must be locked before
-- its row is locked only then.
CREATE OR REPLACE FUNCTION sortie.workflow_there_1(p_owner int,
	p_projects int[], p_workflow bigint) RETURNS bool
LANGUAGE plpgsql AS $$
BEGIN
	RETURN EXISTS (SELECT 1 FROM sortie.workflow w
		WHERE w.workflow = p_workflow AND NOT w.deleting
		AND sortie.may_see_1(p_owner, p_projects, w.owner_id,
			w.project_id));
END $$;

-- What every action begins with: its turn (7008) and the workflow's row. NULL
-- when there is none for whoever asks.
CREATE OR REPLACE FUNCTION sortie.workflow_lock_1(p_owner int, p_projects int[],
	p_workflow bigint) RETURNS sortie.workflow
LANGUAGE plpgsql AS $$
DECLARE
	g sortie.workflow;
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	SELECT * INTO g FROM sortie.workflow w WHERE w.workflow = p_workflow
		AND sortie.may_see_1(p_owner, p_projects, w.owner_id,
			w.project_id) AND NOT w.deleting
	FOR NO KEY UPDATE;
	RETURN g;
END $$;

-- Starts a held workflow: what waits for nothing else gets into line.
CREATE OR REPLACE FUNCTION sortie.workflow_start_2(p_bucket int, p_owner int,
	p_projects int[], p_workflow bigint, OUT code text, OUT message text,
	OUT classes int[], OUT pilots bigint[], OUT more bool,
	OUT changed int)
LANGUAGE plpgsql AS $$
DECLARE
	g sortie.workflow := sortie.workflow_lock_1(p_owner, p_projects,
		p_workflow);
BEGIN
	more := false;
	changed := 0;
	IF g.workflow IS NULL THEN
		code := 'not_found';
		message := 'there is no workflow ' || p_workflow;
		RETURN;
	ELSIF g.state <> 'held' OR g.cancelling IS NOT NULL THEN
		code := 'conflict';
		message := 'workflow ' || p_workflow || CASE
			WHEN g.cancelling IS NOT NULL AND g.ended_at IS NULL
			THEN ' is being cancelled'
			WHEN g.state = 'running' THEN ' is running already'
			ELSE ' has ended (' || g.state || ')' END;
		RETURN;
	END IF;
	UPDATE sortie.workflow w SET state = 'running',
		started_at = clock_timestamp()
	WHERE w.workflow = p_workflow;
	INSERT INTO sortie.event (kind, owner_id, text, detail)
	VALUES ('workflow started', g.owner_id, 'workflow ' || p_workflow,
		json_build_object('workflow', p_workflow));
	SELECT count(*) INTO changed FROM sortie.node n
	WHERE n.workflow = p_workflow AND (n.open = 0 OR n.any_of AND n.met);
	IF changed = 0 THEN
		PERFORM sortie.workflow_over_1(ARRAY[p_workflow]);
		RETURN;
	END IF;
	SELECT * INTO classes, more
	FROM sortie.workflow_look_1(p_bucket, p_workflow, 0, 10000);
END $$;

-- Looks at the jobs of a workflow that come after number p_after, at most p_max
-- of them: those that may run get into line. Steps go on with the others
-- (o_more). The caller holds the workflow.
CREATE OR REPLACE FUNCTION sortie.workflow_look_1(p_bucket int,
	p_workflow bigint, p_after bigint, p_max int, OUT o_class int[],
	OUT o_more bool)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_look bigint[];
	v_last bigint;
	v_firing bool;
BEGIN
	-- (Most wait for others: nothing is to be seen there.)
	SELECT array_agg(x.number) FILTER (WHERE x.moves),
		CASE WHEN count(*) = p_max THEN max(x.number) END
	INTO v_look, v_last
	FROM (SELECT n.number, n.open = 0 OR CASE WHEN n.any_of THEN n.met
			ELSE n.unmet END AS moves
		FROM sortie.node n
		WHERE n.workflow = p_workflow AND n.number > p_after
		ORDER BY n.number LIMIT p_max) AS x;
	UPDATE sortie.workflow w SET look_after = v_last
	WHERE w.workflow = p_workflow;
	o_more := v_last IS NOT NULL;
	IF v_look IS NOT NULL THEN
		SELECT array_agg(s.number::int) FILTER (WHERE s.what = 'w'),
			bool_or(s.what = 'f')
		INTO o_class, v_firing
		FROM sortie.graph_settle_1(p_bucket, NULL, NULL, NULL, NULL,
			NULL, NULL, v_look, 1000, 1000) AS s;
		o_more := o_more OR coalesce(v_firing, false);
	END IF;
END $$;

-- Closes an open workflow: it ends when its jobs have.
CREATE OR REPLACE FUNCTION sortie.workflow_close_2(p_bucket int, p_owner int,
	p_projects int[], p_workflow bigint, OUT code text, OUT message text,
	OUT classes int[], OUT pilots bigint[], OUT more bool,
	OUT changed int)
LANGUAGE plpgsql AS $$
DECLARE
	g sortie.workflow := sortie.workflow_lock_1(p_owner, p_projects,
		p_workflow);
BEGIN
	more := false;
	changed := 0;
	IF g.workflow IS NULL THEN
		code := 'not_found';
		message := 'there is no workflow ' || p_workflow;
		RETURN;
	ELSIF g.ended_at IS NOT NULL THEN
		code := 'conflict';
		message := 'workflow ' || p_workflow || ' has ended ('
			|| g.state || ')';
		RETURN;
	END IF;
	IF g.open THEN
		UPDATE sortie.workflow w SET open = false
		WHERE w.workflow = p_workflow;
		INSERT INTO sortie.event (kind, owner_id, text, detail)
		VALUES ('workflow closed', g.owner_id, 'workflow '
			|| p_workflow, json_build_object('workflow',
			p_workflow));
		PERFORM sortie.workflow_over_1(ARRAY[p_workflow]);
	END IF;
END $$;

-- A workflow is to be cancelled: nothing of it gets into line any more, and
-- steps cancel what is on its way. The caller holds its row.
CREATE OR REPLACE FUNCTION sortie.workflow_doom_1(p_workflow bigint,
	p_delete bool) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE sortie.workflow w SET cancelling = 'hand', cancel_after = 0,
		open = false, cancel_reason = 'the workflow was cancelled',
		deleting = w.deleting OR p_delete
	WHERE w.workflow = p_workflow;
	INSERT INTO sortie.event (kind, owner_id, text, detail)
	SELECT 'workflow cancelled', w.owner_id, 'workflow ' || p_workflow,
		json_build_object('workflow', p_workflow)
	FROM sortie.workflow w WHERE w.workflow = p_workflow;
	PERFORM sortie.workflow_over_1(ARRAY[p_workflow]);
END $$;

-- Cancels a workflow.
CREATE OR REPLACE FUNCTION sortie.workflow_cancel_2(p_bucket int, p_owner int,
	p_projects int[], p_workflow bigint, OUT code text, OUT message text,
	OUT classes int[], OUT pilots bigint[], OUT more bool,
	OUT changed int)
LANGUAGE plpgsql AS $$
DECLARE
	g sortie.workflow := sortie.workflow_lock_1(p_owner, p_projects,
		p_workflow);
BEGIN
	more := false;
	changed := 0;
	IF g.workflow IS NULL THEN
		code := 'not_found';
		message := 'there is no workflow ' || p_workflow;
	ELSIF g.ended_at IS NOT NULL THEN
		code := 'conflict';
		message := 'workflow ' || p_workflow || ' has ended ('
			|| g.state || ')';
	ELSE
		PERFORM sortie.workflow_doom_1(p_workflow, false);
		more := true;
		changed := g.n_jobs - g.n_ended;
	END IF;
END $$;

-- Deletes a workflow that has ended, in steps; with p_cancel any, once it has.
CREATE OR REPLACE FUNCTION sortie.workflow_delete_1(p_bucket int, p_owner int,
	p_projects int[], p_workflow bigint, p_cancel bool, OUT code text,
	OUT message text, OUT classes int[], OUT pilots bigint[],
	OUT more bool)
LANGUAGE plpgsql AS $$
DECLARE
	g sortie.workflow := sortie.workflow_lock_1(p_owner, p_projects,
		p_workflow);
BEGIN
	more := false;
	IF g.workflow IS NULL THEN
		code := 'not_found';
		message := 'there is no workflow ' || p_workflow;
	ELSIF g.ended_at IS NOT NULL THEN
		UPDATE sortie.workflow w SET deleting = true
		WHERE w.workflow = p_workflow;
		more := true;
	ELSIF p_cancel THEN
		PERFORM sortie.workflow_doom_1(p_workflow, true);
		more := true;
	ELSE
		code := 'conflict';
		message := 'workflow ' || p_workflow || ' is ' || g.state
			|| ': cancel it first, or delete it with --cancel';
	END IF;
	IF code IS NULL THEN
		INSERT INTO sortie.event (kind, owner_id, text, detail)
		VALUES ('workflow deleted', g.owner_id, 'workflow '
			|| p_workflow, json_build_object('workflow',
			p_workflow));
	END IF;
END $$;

-- The first jobs of a workflow that ended badly and may be tried again, in
-- order of numbers; p_max NULL: all.
CREATE OR REPLACE FUNCTION sortie.workflow_bad_1(p_workflow bigint, p_max int)
RETURNS SETOF bigint LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	RETURN QUERY SELECT n.number FROM sortie.node n
	JOIN sortie.ended e ON e.number = n.number
		AND e.state IN ('failed', 'timelimit', 'lost', 'cancelled')
	WHERE n.workflow = p_workflow AND NOT EXISTS (
		SELECT 1 FROM sortie.run r WHERE r.number = n.number
		AND r.attempt = 32767)
	ORDER BY n.number LIMIT p_max;
END $$;

-- Tries again what ended badly, and what was skipped because of that: of a
-- large workflow the first jobs, and steps the others.
CREATE OR REPLACE FUNCTION sortie.workflow_retry_2(p_bucket int, p_owner int,
	p_projects int[], p_workflow bigint, OUT code text, OUT message text,
	OUT classes int[], OUT pilots bigint[], OUT more bool,
	OUT changed int)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	g sortie.workflow;
	v_again bigint[];
	v_taken text;
BEGIN
	more := false;
	changed := 0;
	PERFORM pg_advisory_xact_lock(7008);
	IF sortie.workflow_there_1(p_owner, p_projects, p_workflow) THEN
		PERFORM sortie.classes_wake_1(array_agg(DISTINCT j.class_id))
		FROM sortie.workflow_bad_1(p_workflow, 1000) AS b
		JOIN sortie.job j ON j.number = b;
	END IF;
	g := sortie.workflow_lock_1(p_owner, p_projects, p_workflow);
	IF g.workflow IS NULL THEN
		code := 'not_found';
		message := 'there is no workflow ' || p_workflow;
		RETURN;
	ELSIF g.cancelling IS NOT NULL AND g.ended_at IS NULL THEN
		code := 'conflict';
		message := 'workflow ' || p_workflow || ' is being cancelled';
		RETURN;
	END IF;
	v_again := ARRAY(SELECT b FROM sortie.workflow_bad_1(p_workflow, 1000)
		AS b);
	SELECT format('job %s ("%s") of workflow %s cannot be tried again: %s',
		t.job, n.name, p_workflow, t.message)
	INTO v_taken FROM sortie.outputs_taken_1(v_again) AS t
	JOIN sortie.node n ON n.number = t.job
	ORDER BY t.job LIMIT 1;
	IF v_again = '{}' OR v_taken IS NOT NULL THEN
		code := 'conflict';
		message := coalesce(v_taken, 'workflow ' || p_workflow || ' is '
			|| g.state || ': no job of it ended badly');
		RETURN;
	END IF;
	PERFORM sortie.workflow_again_1(v_again);
	INSERT INTO sortie.again (workflow, number)
	SELECT p_workflow, b
	FROM sortie.workflow_bad_1(p_workflow, NULL) AS b
	WHERE b > v_again[cardinality(v_again)]
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS changed = ROW_COUNT;
	changed := changed + cardinality(v_again);
	SELECT array_agg(s.number::int) FILTER (WHERE s.what = 'w'),
		coalesce(bool_or(s.what = 'f'), false)
	INTO classes, more
	FROM sortie.graph_settle_1(p_bucket, NULL, NULL, NULL, NULL, NULL,
		NULL, sortie.graph_again_2(p_bucket, v_again, 1000, 100),
		1000, 1000) AS s;
	more := more OR EXISTS (SELECT 1 FROM sortie.again a
		WHERE a.workflow = p_workflow);
END $$;

-- Gives jobs of a workflow that wait or are queued another priority: of the
-- p_max before number p_below, from there down, so that jobs which are added
-- meanwhile keep theirs. Returns where the next step begins; NULL: that was
-- all.
CREATE OR REPLACE FUNCTION sortie.workflow_priority_1(p_bucket int,
	p_workflow bigint, p_below bigint, p_priority int, p_max int)
RETURNS bigint LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_number bigint[];
	v_first bigint;
	v_n int;
BEGIN
	SELECT array_agg(x.number) FILTER (WHERE EXISTS (SELECT 1
			FROM sortie.queue q WHERE q.number = x.number)
			OR EXISTS (SELECT 1 FROM sortie.waiting w
			WHERE w.number = x.number)), min(x.number), count(*)
	INTO v_number, v_first, v_n
	FROM (SELECT m.number FROM sortie.node m
		WHERE m.workflow = p_workflow AND m.number < p_below
		ORDER BY m.number DESC LIMIT p_max) AS x;
	PERFORM sortie.job_adjust_1(p_bucket, NULL, '{}', v_number,
		jsonb_build_object('priority', p_priority));
	RETURN CASE WHEN v_n = p_max THEN v_first END;
END $$;

-- Changes a workflow. p_set: name, description, on_failure, max_running (null:
-- none), priority (of jobs that no pilot has yet; steps follow in a large one).
CREATE OR REPLACE FUNCTION sortie.workflow_adjust_2(p_bucket int, p_owner int,
	p_projects int[], p_workflow bigint, p_set json, OUT code text,
	OUT message text, OUT classes int[], OUT pilots bigint[],
	OUT more bool, OUT changed int)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	g sortie.workflow;
	v_set jsonb := p_set::jsonb;
	v_below bigint;
	r record;
BEGIN
	more := false;
	changed := 0;
	PERFORM pg_advisory_xact_lock(7008);
	-- Queued jobs are locked before the workflow.
	IF v_set ? 'priority' AND sortie.workflow_there_1(p_owner, p_projects,
		p_workflow) THEN
		SELECT count(*) INTO changed FROM sortie.node n
		WHERE n.workflow = p_workflow AND (EXISTS (SELECT 1
			FROM sortie.queue q WHERE q.number = n.number)
			OR EXISTS (SELECT 1 FROM sortie.waiting w
			WHERE w.number = n.number));
		v_below := sortie.workflow_priority_1(p_bucket, p_workflow,
			9223372036854775807, (v_set ->> 'priority')::int,
			1000);
	END IF;
	g := sortie.workflow_lock_1(p_owner, p_projects, p_workflow);
	IF g.workflow IS NULL THEN
		code := 'not_found';
		message := 'there is no workflow ' || p_workflow;
		RETURN;
	END IF;
	UPDATE sortie.workflow w
	SET name = coalesce(v_set ->> 'name', w.name),
		description = coalesce(v_set ->> 'description', w.description),
		on_failure = coalesce(v_set ->> 'on_failure', w.on_failure),
		max_running = CASE WHEN v_set ? 'max_running'
			THEN (v_set ->> 'max_running')::int
			ELSE w.max_running END,
		priority = coalesce((v_set ->> 'priority')::int, w.priority),
		priority_below = CASE WHEN v_set ? 'priority' THEN v_below
			ELSE w.priority_below END
	WHERE w.workflow = p_workflow;
	more := v_below IS NOT NULL;
	IF NOT v_set ? 'max_running' THEN
		RETURN;
	END IF;
	IF g.max_running IS NULL OR v_set ->> 'max_running' IS NULL THEN
		WITH n AS (
			UPDATE sortie.node n SET admitted = v_set
				->> 'max_running' IS NOT NULL
			WHERE n.workflow = p_workflow AND (n.admitted
				OR EXISTS (SELECT 1 FROM sortie.queue q
				WHERE q.number = n.number)
				OR EXISTS (SELECT 1 FROM sortie.live l
				WHERE l.number = n.number)
				OR EXISTS (SELECT 1 FROM sortie.waiting w
				WHERE w.number = n.number AND (w.why = 'gate'
				OR w.why = 'time' AND w.attempt > 1)))
			RETURNING n.admitted)
		UPDATE sortie.workflow w
		SET admitted = (SELECT count(*) FROM n WHERE n.admitted)
		WHERE w.workflow = p_workflow;
	END IF;
	SELECT * INTO r FROM sortie.share_take_1(p_workflow, 10000);
	IF r.o_number IS NULL THEN
		RETURN;
	END IF;
	PERFORM sortie.graph_line_up_1(p_bucket, r.o_class, r.o_place,
		r.o_number, r.o_attempt, r.o_kind, NULL);
	SELECT array_agg(DISTINCT c) INTO classes FROM unnest(r.o_class) AS c;
	IF cardinality(r.o_number) = 10000 THEN
		more := true;
		UPDATE sortie.workflow w SET look_after = 0
		WHERE w.workflow = p_workflow;
	END IF;
END $$;
