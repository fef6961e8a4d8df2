-- Graphs: ends of jobs become readiness of others.
--
-- Whoever changes nodes, edges or the counters of a workflow holds the row of
-- the workflow, so two ends that meet at a join come one after the other, and
-- what the second one reads is what the first has left. The row comes after
-- pilots and queued jobs and before the rows of waiting jobs that belong to a
-- graph, and before projects. The due duty, which has waiting jobs locked,
-- never waits for a workflow.
--
-- Edges are only read. A parent that is in `ended` has told all its children how
-- it ended, or those up to the one that `firing` names: the others are told by
-- a duty. Nodes count what their edges say (edges_1): `open` of them nothing yet.
-- What an end means to those after it is in graph_tell.sql, to its workflow in
-- graph_over.sql; graph_settle_1 puts both together.

-- Locks workflows. p_wait: false where something is locked already that should
-- have come later (55P03: the server repeats).
CREATE OR REPLACE FUNCTION sortie.workflows_lock_1(p_workflow bigint[],
	p_wait bool) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	IF p_wait THEN
		PERFORM 1 FROM sortie.workflow g
		WHERE g.workflow = ANY (p_workflow)
		ORDER BY g.workflow FOR NO KEY UPDATE;
	ELSE
		PERFORM 1 FROM sortie.workflow g
		WHERE g.workflow = ANY (p_workflow)
		ORDER BY g.workflow FOR NO KEY UPDATE NOWAIT;
	END IF;
END $$;

-- Locks the workflows of these jobs.
CREATE OR REPLACE FUNCTION sortie.graph_lock_1(p_number bigint[], p_wait bool)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_flow bigint[];
BEGIN
	SELECT array_agg(DISTINCT n.workflow) INTO v_flow
	FROM unnest(p_number) AS u(number)
	JOIN sortie.node n ON n.number = ANY (ARRAY[u.number]);
	IF v_flow IS NOT NULL THEN
		PERFORM sortie.workflows_lock_1(v_flow, p_wait);
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

-- The last thing of whatever moved jobs of graphs, and others with them. The
-- parameters of settle_1, and
--     p_ended  jobs that ended for good, or were held: any of them may be
--              outside of graphs
--     p_fire   jobs in `firing`, to go on with
--     p_look   jobs to look at: they, or their workflow, were changed
--     p_n, p_waves  how many children are told, and how deep a graph is gone
--              down; what is left is in `firing` then
-- Rows, by `what`:
--     w  class `number` got n jobs
--     f  edges of n jobs are left to tell
--     F  workflow `number` has begun to cancel itself
--     z  workflow `number` has ended
CREATE OR REPLACE FUNCTION sortie.graph_settle_1(p_bucket int, p_left int[],
	p_came int[], p_freed int[], p_taken int[], p_ended bigint[],
	p_fire bigint[], p_look bigint[], p_n int, p_waves int)
RETURNS TABLE (what "char", number bigint, n bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
	-- jobs that end here: who, of which workflow, how, whether that is bad
	v_ended bigint[]; v_flow bigint[]; v_state sortie.job_state[];
	v_bad bool[];
	-- their workflows: all, those with a maximum, those that are complete
	v_flows bigint[]; v_gated bigint[]; v_full bigint[];
	v_strict bool;                  -- one of them is cancelled by failures
	v_files bool;                   -- one of them has datasets
	-- jobs that tell their end now: how they ended, the last child told
	f_number bigint[]; f_state sortie.job_state[]; f_after bigint[];
	v_look bigint[] := p_look;
	v_n int := p_n;
	v_waves int := p_waves;
	x_class int[]; x_place int[]; x_number bigint[]; x_attempt smallint[];
	x_kind int[];
	v_id bigint;
	r record;
BEGIN
	SELECT array_agg(s.number), array_agg(s.workflow), array_agg(e.state),
		array_agg(NOT s.allow_failure AND e.state IN ('failed',
			'timelimit', 'lost', 'cancelled')),
		array_agg(s.number) FILTER (WHERE e.number IS NOT NULL),
		array_agg(e.state) FILTER (WHERE e.number IS NOT NULL),
		array_agg(DISTINCT s.workflow)
	INTO v_ended, v_flow, v_state, v_bad, f_number, f_state, v_flows
	FROM (SELECT DISTINCT x FROM unnest(p_ended) AS x) AS u(number)
	JOIN sortie.node s ON s.number = ANY (ARRAY[u.number])
	LEFT JOIN sortie.ended e ON e.number = ANY (ARRAY[s.number]);
	IF p_fire IS NOT NULL OR p_look IS NOT NULL THEN
		SELECT array_agg(DISTINCT s.workflow) INTO v_flows
		FROM unnest(v_ended || p_fire || p_look) AS u(number)
		JOIN sortie.node s ON s.number = ANY (ARRAY[u.number]);
	ELSIF v_ended IS NULL THEN
		PERFORM sortie.settle_1(p_bucket, p_left, p_came, p_freed,
			p_taken);
		RETURN;
	END IF;
	-- Runs that came back have taken rows that come later.
	IF p_taken IS NOT NULL THEN
		PERFORM sortie.workflows_lock_1(v_flows, false);
	END IF;
	SELECT array_agg(g.workflow) FILTER (WHERE g.max_running IS NOT NULL),
		bool_or(g.on_failure = 'cancel' AND g.cancelling IS NULL),
		bool_or(EXISTS (SELECT 1 FROM sortie.dataset d
			WHERE d.workflow = g.workflow))
	INTO v_gated, v_strict, v_files
	FROM (SELECT w.* FROM sortie.workflow w
		WHERE w.workflow = ANY (v_flows)
		ORDER BY w.workflow FOR NO KEY UPDATE) AS g;

	IF v_strict AND true = ANY (v_bad) THEN
		RETURN QUERY SELECT 'F'::"char", f, 0::bigint
		FROM unnest(sortie.graph_failure_1(v_ended)) AS f;
	END IF;
	IF v_gated IS NOT NULL AND v_ended IS NOT NULL THEN
		PERFORM sortie.share_leave_1(v_ended);
	END IF;
	IF p_fire IS NOT NULL THEN
		WITH d AS (
			DELETE FROM sortie.firing f WHERE f.number = ANY (p_fire)
			RETURNING f.number, f.child)
		SELECT f_number || array_agg(d.number),
			f_state || array_agg(e.state),
			array_fill(0::bigint, ARRAY[coalesce(
				cardinality(f_number), 0)])
				|| array_agg(d.child)
		INTO f_number, f_state, f_after
		FROM d JOIN sortie.ended e ON e.number = ANY (ARRAY[d.number]);
	END IF;

	LOOP
		IF f_number IS NOT NULL THEN
			f_after := coalesce(f_after, array_fill(0::bigint,
				ARRAY[cardinality(f_number)]));
			IF v_n > 0 AND v_waves > 0 THEN
				SELECT * INTO r FROM sortie.graph_tell_2(
					f_number, f_state, f_after, v_n);
				v_n := v_n - r.o_told;
				v_waves := v_waves - 1;
				v_look := v_look || r.o_look;
				f_number := r.o_number;
				f_after := r.o_after;
			END IF;
		END IF;
		IF f_number IS NOT NULL THEN
			INSERT INTO sortie.firing (workflow, number, child)
			SELECT s.workflow, s.number, u.after
			FROM unnest(f_number, f_after) AS u(number, after)
			JOIN sortie.node s ON s.number = ANY (ARRAY[u.number])
			WHERE EXISTS (SELECT 1 FROM sortie.edge d
				WHERE d.parent = u.number AND d.child > u.after);
			GET DIAGNOSTICS n = ROW_COUNT;
			IF n > 0 THEN
				what := 'f'; number := 0;
				RETURN NEXT;
			END IF;
		END IF;
		EXIT WHEN v_look IS NULL;
		SELECT * INTO r FROM sortie.graph_look_2(p_bucket, v_look);
		v_look := NULL;
		f_number := r.o_end;
		f_state := r.o_state;
		f_after := NULL;
		v_ended := v_ended || r.o_end;
		v_flow := v_flow || r.o_flow;
		v_state := v_state || r.o_state;
		x_class := x_class || r.o_class;
		x_place := x_place || r.o_place;
		x_number := x_number || r.o_number;
		x_attempt := x_attempt || r.o_attempt;
		x_kind := x_kind || r.o_kind;
	END LOOP;

	IF v_ended IS NOT NULL THEN
		v_full := sortie.graph_count_2(v_flow, v_state, v_bad);
		IF v_files THEN
			PERFORM sortie.datasets_ended_1(v_ended);
		END IF;
	END IF;
	FOREACH v_id IN ARRAY coalesce(v_gated, '{}') LOOP
		SELECT * INTO r FROM sortie.share_take_1(v_id, 10000);
		x_class := x_class || r.o_class;
		x_place := x_place || r.o_place;
		x_number := x_number || r.o_number;
		x_attempt := x_attempt || r.o_attempt;
		x_kind := x_kind || r.o_kind;
	END LOOP;
	IF v_full IS NOT NULL THEN
		RETURN QUERY SELECT 'z'::"char", f, 0::bigint
		FROM unnest(sortie.workflow_over_1(v_full)) AS f;
	END IF;
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
BEGIN
	-- (One kind alone has one project.)
	IF NOT p_kind[1] = ALL (p_kind || p_other) THEN
		PERFORM sortie.projects_lock_1(p_kind || p_other);
	END IF;
	PERFORM sortie.line_up_2(p_bucket, 'waiting', p_class, p_place,
		p_number, p_attempt, p_kind);
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

-- A step of telling what was left to tell, of one workflow: at most p_n
-- children, at most p_n waves down. A duty.
CREATE OR REPLACE FUNCTION sortie.graph_firing_1(p_bucket int, p_n int,
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
	SELECT array_agg(x.number), count(*) INTO v_fire, n
	FROM (SELECT f.number FROM sortie.firing f
		WHERE f.workflow = v_flow
		ORDER BY f.number LIMIT p_n) AS x;
	IF n = 0 THEN
		more := EXISTS (SELECT 1 FROM sortie.firing);
		RETURN;
	END IF;
	SELECT array_agg(s.number::int) FILTER (WHERE s.what = 'w')
	INTO classes
	FROM sortie.graph_settle_1(p_bucket, NULL, NULL, NULL, NULL, NULL,
		v_fire, NULL, p_n, p_n) AS s;
	more := EXISTS (SELECT 1 FROM sortie.firing);
END $$;
