-- Graphs: ends of jobs become readiness of others.
--
-- Whoever changes nodes, edges or the counters of a workflow holds the row of
-- the workflow, so two ends that meet at a join come one after the other, and
-- what the second one reads is what the first has left. The row comes after
-- pilots and queued jobs and before the rows of waiting jobs that belong to a
-- graph, and before projects. The due duty, which has waiting jobs locked,
-- never waits for a workflow.

-- Locks the workflows of these jobs. p_wait: false where something is locked
-- already that should have come later (55P03: the server repeats).
CREATE OR REPLACE FUNCTION sortie.graph_lock_1(p_number bigint[], p_wait bool)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_flow bigint[];
BEGIN
	SELECT array_agg(DISTINCT n.workflow) INTO v_flow
	FROM unnest(p_number) AS u(number)
	JOIN sortie.node n ON n.number = u.number;
	IF v_flow IS NULL THEN
		RETURN;
	ELSIF p_wait THEN
		PERFORM 1 FROM sortie.workflow g
		WHERE g.workflow = ANY (v_flow)
		ORDER BY g.workflow FOR NO KEY UPDATE;
	ELSE
		PERFORM 1 FROM sortie.workflow g
		WHERE g.workflow = ANY (v_flow)
		ORDER BY g.workflow FOR NO KEY UPDATE NOWAIT;
	END IF;
END $$;

-- Locks the projects of jobs of these kinds, in order.
CREATE OR REPLACE FUNCTION sortie.projects_lock_1(p_kind int[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	PERFORM 1 FROM sortie.project p
	WHERE p.project_id IN (SELECT k.project_id FROM sortie.kind k
		WHERE k.kind_id = ANY (p_kind))
	ORDER BY p.project_id FOR NO KEY UPDATE;
END $$;

-- Tells at most p_edges edges of ended jobs. Returns the children whose
-- conditions changed. o_told < p_edges: all were told.
CREATE OR REPLACE FUNCTION sortie.graph_tell_1(p_fire bigint[], p_edges int,
	OUT o_told int, OUT o_child bigint[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	WITH t AS MATERIALIZED (
		SELECT d.parent, d.child, d.cond, e.state
		FROM unnest(p_fire) AS u(number)
		JOIN sortie.ended e ON e.number = u.number
		JOIN sortie.edge d ON d.parent = u.number AND d.fired IS NULL
		LIMIT p_edges),
	s AS (
		UPDATE sortie.edge d SET fired = CASE d.cond
			WHEN 's' THEN t.state = 'finished'
			WHEN 'f' THEN t.state IN ('failed', 'timelimit', 'lost')
			ELSE true END
		FROM t
		WHERE d.parent = t.parent AND d.child = t.child
			AND d.cond = t.cond
		RETURNING d.child, d.fired),
	c AS MATERIALIZED (
		SELECT s.child, count(*)::int AS n, bool_or(s.fired) AS met,
			bool_or(NOT s.fired) AS unmet
		FROM s GROUP BY s.child),
	m AS (
		UPDATE sortie.node n SET open = n.open - c.n,
			met = n.met OR c.met, unmet = n.unmet OR c.unmet
		FROM c WHERE n.number = c.child
		RETURNING n.number)
	SELECT (SELECT count(*) FROM t), array_agg(m.number)
	INTO o_told, o_child FROM m;
END $$;

-- Why a job is skipped: the first of its conditions that is not met.
CREATE OR REPLACE FUNCTION sortie.graph_reason_1(p_child bigint) RETURNS text
LANGUAGE sql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
	SELECT format('after "%s": it %s', n.name, CASE e.state
		WHEN 'finished' THEN 'finished' WHEN 'failed' THEN 'failed'
		WHEN 'timelimit' THEN 'ran into its time limit'
		ELSE 'was ' || e.state END)
	FROM sortie.edge d
	JOIN sortie.node n ON n.number = d.parent
	JOIN sortie.ended e ON e.number = d.parent
	WHERE d.child = p_child AND NOT d.fired
	ORDER BY d.parent LIMIT 1
$$;

-- Jobs of a graph end without a run: skipped, or noops, which finish. They are
-- in `waiting`.
CREATE OR REPLACE FUNCTION sortie.graph_end_1(p_bucket int, p_number bigint[],
	p_state sortie.job_state) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_kind int[];
	v_was sortie.job_state[];
	v_n int[];
BEGIN
	WITH d AS (
		DELETE FROM sortie.waiting w WHERE w.number = ANY (p_number)
		RETURNING w.number, w.kind_id, w.why),
	r AS MATERIALIZED (
		SELECT d.number, d.kind_id, CASE p_state WHEN 'skipped'
			THEN coalesce(sortie.graph_reason_1(d.number), '')
			ELSE '' END AS reason
		FROM d),
	e AS (
		INSERT INTO sortie.ended (number, kind_id, state, ended_at,
			reason)
		SELECT r.number, r.kind_id, p_state, clock_timestamp(),
			r.reason
		FROM r),
	v AS (
		INSERT INTO sortie.event (kind, job, text)
		SELECT p_state::text, r.number, r.reason FROM r)
	SELECT array_agg(d.kind_id), array_agg(CASE d.why WHEN 'held'
		THEN 'held' ELSE 'waiting' END::sortie.job_state)
	INTO v_kind, v_was FROM d;
	v_n := ARRAY[cardinality(v_kind)];
	PERFORM sortie.tally_add_1(p_bucket, v_kind || v_kind,
		v_was || array_fill(p_state, v_n),
		array_fill(-1::bigint, v_n) || array_fill(1::bigint, v_n));
	PERFORM sortie.tally_minute_add_1(p_bucket, v_kind,
		array_fill(p_state::text, v_n), array_fill(1::bigint, v_n));
END $$;

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
-- them without a maximum): out of `waiting`, for line_up_1. The caller holds
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

-- Looks at jobs of a graph: which of them end now without a run, which run, and
-- which wait on for their time. o_end and o_skip are ended, o_line are to be
-- lined up (share: behind their workflow's gate first).
CREATE OR REPLACE FUNCTION sortie.graph_look_1(p_bucket int, p_look bigint[],
	OUT o_end bigint[], OUT o_share bigint[], OUT o_class int[],
	OUT o_place int[], OUT o_number bigint[], OUT o_attempt smallint[],
	OUT o_kind int[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_skip bigint[];
	v_noop bigint[];
	v_later bigint[];
	v_go bigint[];
	v_gated bigint[];
BEGIN
	SELECT array_agg(c.number) FILTER (WHERE c.skip),
		array_agg(c.number) FILTER (WHERE c.ready AND c.noop),
		array_agg(c.number) FILTER (WHERE c.ready AND NOT c.noop
			AND c.due > now()),
		array_agg(c.number) FILTER (WHERE c.ready AND NOT c.noop
			AND NOT coalesce(c.due > now(), false)
			AND NOT c.gated),
		array_agg(c.number) FILTER (WHERE c.ready AND NOT c.noop
			AND NOT coalesce(c.due > now(), false) AND c.gated),
		array_agg(DISTINCT c.workflow) FILTER (WHERE c.ready
			AND NOT c.noop AND c.gated)
	INTO v_skip, v_noop, v_later, v_go, v_gated, o_share
	FROM (SELECT n.number, n.workflow, n.noop, w.due,
			g.max_running IS NOT NULL AS gated,
			CASE WHEN n.any_of THEN n.open = 0 AND NOT n.met
				ELSE n.unmet END AS skip,
			w.why = 'after' AND g.state = 'running'
			AND g.cancelling IS NULL
			AND CASE WHEN n.any_of THEN n.met
				ELSE n.open = 0 AND NOT n.unmet END AS ready
		FROM (SELECT DISTINCT x FROM unnest(p_look) AS x) AS u(number)
		JOIN sortie.node n ON n.number = u.number
		JOIN sortie.waiting w ON w.number = n.number
			AND w.why IN ('after', 'held')
		JOIN sortie.workflow g ON g.workflow = n.workflow) AS c;
	IF v_skip IS NOT NULL THEN
		PERFORM sortie.graph_end_1(p_bucket, v_skip, 'skipped');
	END IF;
	IF v_noop IS NOT NULL THEN
		PERFORM sortie.graph_end_1(p_bucket, v_noop, 'finished');
	END IF;
	o_end := v_skip || v_noop;
	IF v_later IS NOT NULL THEN
		UPDATE sortie.waiting w SET why = 'time'
		WHERE w.number = ANY (v_later);
	END IF;
	IF v_gated IS NOT NULL THEN
		UPDATE sortie.waiting w SET why = 'share'
		WHERE w.number = ANY (v_gated);
	END IF;
	IF v_go IS NOT NULL THEN
		WITH d AS (
			DELETE FROM sortie.waiting w
			WHERE w.number = ANY (v_go)
			RETURNING w.class_id, w.place, w.number, w.attempt,
				w.kind_id)
		SELECT array_agg(d.class_id), array_agg(d.place),
			array_agg(d.number), array_agg(d.attempt),
			array_agg(d.kind_id)
		INTO o_class, o_place, o_number, o_attempt, o_kind FROM d;
	END IF;
END $$;

-- What hangs on the ends of jobs of a graph: the counters of their workflows,
-- their places behind its gate, the datasets they should have made.
CREATE OR REPLACE FUNCTION sortie.graph_count_1(p_ended bigint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	PERFORM sortie.share_leave_1(p_ended);
	UPDATE sortie.workflow g SET n_ended = g.n_ended + c.n,
		n_bad = g.n_bad + c.bad
	FROM (SELECT n.workflow, count(*)::int AS n, (count(*) FILTER (
			WHERE NOT n.allow_failure AND e.state
			IN ('failed', 'timelimit', 'lost', 'cancelled')))::int
			AS bad
		FROM unnest(p_ended) AS u(number)
		JOIN sortie.node n ON n.number = u.number
		JOIN sortie.ended e ON e.number = n.number
		GROUP BY n.workflow) AS c
	WHERE g.workflow = c.workflow;
	-- Datasets come before workflows: those that somebody has are not
	-- waited for.
	WITH x AS MATERIALIZED (
		SELECT d.dataset, e.state, e.number, (SELECT max(r.attempt)
			FROM sortie.run r WHERE r.number = e.number) AS attempt
		FROM unnest(p_ended) AS i(number)
		JOIN sortie.dataset_use u ON u.number = i.number
			AND u.role = 'o'
		JOIN sortie.ended e ON e.number = i.number
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
		JOIN sortie.node n ON n.number = u.number
			AND NOT n.allow_failure
		JOIN sortie.ended e ON e.number = n.number
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

-- The last thing of whatever moved jobs of graphs, and others with them. The
-- parameters of settle_1, and
--     p_ended  jobs that ended for good, or were held: any of them may be
--              outside of graphs
--     p_fire   jobs that ended before and have edges left to tell
--     p_look   jobs to look at: they, or their workflow, were changed
--     p_edges, p_waves  how much of a graph may be gone through; what is left
--              is in `firing` then
-- Rows, by `what`:
--     w  class `number` got n jobs
--     f  edges of n jobs are left to tell
--     F  workflow `number` has begun to cancel itself
--     z  workflow `number` has ended
CREATE OR REPLACE FUNCTION sortie.graph_settle_1(p_bucket int, p_left int[],
	p_came int[], p_freed int[], p_taken int[], p_ended bigint[],
	p_fire bigint[], p_look bigint[], p_edges int, p_waves int)
RETURNS TABLE (what "char", number bigint, n bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
	v_ended bigint[];
	v_flow bigint[];
	v_share bigint[];
	v_all bigint[];
	v_fire bigint[] := p_fire;
	v_look bigint[] := p_look;
	v_edges int := p_edges;
	v_waves int := p_waves;
	x_class int[]; x_place int[]; x_number bigint[]; x_attempt smallint[];
	x_kind int[];
	v_id bigint;
	r record;
BEGIN
	SELECT array_agg(s.number), array_agg(DISTINCT s.workflow)
	INTO v_ended, v_flow
	FROM unnest(p_ended) AS u(number)
	JOIN sortie.node s ON s.number = u.number;
	IF v_ended IS NULL AND p_fire IS NULL AND p_look IS NULL THEN
		PERFORM sortie.settle_1(p_bucket, p_left, p_came, p_freed,
			p_taken);
		RETURN;
	END IF;
	-- Runs that came back have taken rows that come later.
	PERFORM sortie.graph_lock_1(v_ended || p_fire || p_look,
		p_taken IS NULL);
	IF p_fire IS NOT NULL OR p_look IS NOT NULL THEN
		SELECT array_agg(DISTINCT s.workflow) INTO v_flow
		FROM unnest(v_ended || p_fire || p_look) AS u(number)
		JOIN sortie.node s ON s.number = u.number;
	END IF;
	IF v_ended IS NOT NULL THEN
		RETURN QUERY SELECT 'F'::"char", f, 0::bigint
		FROM unnest(sortie.graph_failure_1(v_ended)) AS f;
		v_all := v_ended;
		v_fire := v_fire || v_ended;
	END IF;
	SELECT array_agg(g.workflow) INTO v_share FROM sortie.workflow g
	WHERE g.workflow = ANY (v_flow) AND g.max_running IS NOT NULL;

	LOOP
		IF v_fire IS NOT NULL AND v_edges > 0 AND v_waves > 0 THEN
			SELECT * INTO r
			FROM sortie.graph_tell_1(v_fire, v_edges);
			v_edges := v_edges - r.o_told;
			v_waves := v_waves - 1;
			v_look := v_look || r.o_child;
		END IF;
		IF v_fire IS NOT NULL AND (v_edges <= 0 OR v_waves <= 0) THEN
			INSERT INTO sortie.firing (workflow, number)
			SELECT s.workflow, s.number
			FROM (SELECT DISTINCT x FROM unnest(v_fire) AS x)
				AS u(number)
			JOIN sortie.node s ON s.number = u.number
			JOIN sortie.ended e ON e.number = s.number
			WHERE EXISTS (SELECT 1 FROM sortie.edge d
				WHERE d.parent = s.number AND d.fired IS NULL)
			ON CONFLICT DO NOTHING;
			GET DIAGNOSTICS n = ROW_COUNT;
			IF n > 0 THEN
				what := 'f'; number := 0;
				RETURN NEXT;
			END IF;
		END IF;
		v_fire := NULL;
		IF v_look IS NOT NULL THEN
			SELECT * INTO r
			FROM sortie.graph_look_1(p_bucket, v_look);
			v_fire := r.o_end;
			v_all := v_all || r.o_end;
			x_class := x_class || r.o_class;
			x_place := x_place || r.o_place;
			x_number := x_number || r.o_number;
			x_attempt := x_attempt || r.o_attempt;
			x_kind := x_kind || r.o_kind;
			v_look := NULL;
		END IF;
		EXIT WHEN v_fire IS NULL;
	END LOOP;

	IF v_all IS NOT NULL THEN
		PERFORM sortie.graph_count_1(v_all);
	END IF;
	FOR v_id IN SELECT f FROM unnest(v_share) AS f ORDER BY f LOOP
		SELECT * INTO r FROM sortie.share_take_1(v_id, 10000);
		x_class := x_class || r.o_class;
		x_place := x_place || r.o_place;
		x_number := x_number || r.o_number;
		x_attempt := x_attempt || r.o_attempt;
		x_kind := x_kind || r.o_kind;
	END LOOP;
	RETURN QUERY SELECT 'z'::"char", f, 0::bigint
	FROM unnest(sortie.workflow_over_1(v_flow)) AS f;
	IF x_number IS NOT NULL THEN
		PERFORM sortie.graph_line_up_1(p_bucket, x_class, x_place,
			x_number, x_attempt, x_kind, p_left || p_came);
		RETURN QUERY SELECT 'w'::"char", c::bigint, count(*)
		FROM unnest(x_class) AS c GROUP BY c;
	END IF;
	PERFORM sortie.settle_1(p_bucket, p_left, p_came, p_freed, p_taken);
END $$;

-- Jobs that were waiting get into line; p_other: kinds whose projects are
-- settled after them, so that all projects are locked in order.
CREATE OR REPLACE FUNCTION sortie.graph_line_up_1(p_bucket int, p_class int[],
	p_place int[], p_number bigint[], p_attempt smallint[], p_kind int[],
	p_other int[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	v_n int[] := ARRAY[cardinality(p_kind)];
BEGIN
	PERFORM sortie.projects_lock_1(p_kind || p_other);
	PERFORM sortie.tally_add_1(p_bucket, p_kind,
		array_fill('waiting'::sortie.job_state, v_n),
		array_fill(-1::bigint, v_n));
	PERFORM sortie.line_up_1(p_bucket, p_class, p_place, p_number,
		p_attempt, p_kind);
END $$;

-- What ends and moves jobs settles with this: settle_1's parameters, and the
-- jobs that ended for good or were held. Rows as above.
CREATE OR REPLACE FUNCTION sortie.settle_2(p_bucket int, p_left int[],
	p_came int[], p_freed int[], p_taken int[], p_ended bigint[])
RETURNS TABLE (what "char", number bigint, n bigint)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT * FROM sortie.graph_settle_1(p_bucket, p_left,
		p_came, p_freed, p_taken, p_ended, NULL, NULL, 256, 64);
END $$;

-- A step of telling what was left to tell, of one workflow: at most p_edges
-- edges. A duty.
CREATE OR REPLACE FUNCTION sortie.graph_firing_1(p_bucket int, p_edges int,
	OUT n bigint, OUT more bool, OUT classes int[], OUT pilots bigint[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	v_flow bigint;
	v_fire bigint[];
BEGIN
	n := 0;
	more := false;
	-- Any that nobody works on, so that a large one does not keep small
	-- ones waiting; or else the first: somebody always does.
	SELECT g.workflow INTO v_flow FROM sortie.workflow g
	WHERE g.workflow IN (SELECT DISTINCT f.workflow FROM sortie.firing f)
	ORDER BY random() LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		SELECT min(f.workflow) INTO v_flow FROM sortie.firing f;
		IF v_flow IS NULL THEN
			RETURN;
		END IF;
		PERFORM 1 FROM sortie.workflow g WHERE g.workflow = v_flow
		FOR NO KEY UPDATE;
	END IF;
	WITH d AS (
		DELETE FROM sortie.firing f
		WHERE f.workflow = v_flow AND f.number IN (
			SELECT x.number FROM sortie.firing x
			WHERE x.workflow = v_flow
			ORDER BY x.number LIMIT p_edges)
		RETURNING f.number)
	SELECT array_agg(d.number), count(*) INTO v_fire, n FROM d;
	IF n = 0 THEN
		more := EXISTS (SELECT 1 FROM sortie.firing);
		RETURN;
	END IF;
	SELECT array_agg(s.number::int) FILTER (WHERE s.what = 'w')
	INTO classes
	FROM sortie.graph_settle_1(p_bucket, NULL, NULL, NULL, NULL, NULL,
		v_fire, NULL, p_edges, p_edges) AS s;
	more := EXISTS (SELECT 1 FROM sortie.firing);
END $$;
