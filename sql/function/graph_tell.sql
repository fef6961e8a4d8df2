-- What the end of a job is to those after it: conditions, and what they make
-- of jobs that wait. The caller holds their workflows (graph.sql).

-- Whether a parent's end meets a condition; NULL: it has not ended. (In line
-- where it is used.)
CREATE OR REPLACE FUNCTION sortie.cond_met_1(p_cond "char",
	p_state sortie.job_state) RETURNS bool LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN p_state IS NULL THEN NULL
		WHEN p_cond = 's' THEN p_state = 'finished'
		WHEN p_cond = 'f' THEN p_state IN ('failed', 'timelimit', 'lost')
		ELSE true END
$$;

-- Edges and whether they are met; NULL: the parent has not ended, or not told
-- this child yet. (A view: in line where it is used.)
CREATE OR REPLACE FUNCTION sortie.edges_1()
RETURNS TABLE (parent bigint, child bigint, cond "char", met bool)
LANGUAGE sql STABLE AS $$
	SELECT d.parent, d.child, d.cond, CASE WHEN f.number IS NULL
		THEN sortie.cond_met_1(d.cond, e.state) END
	FROM sortie.edge d
	LEFT JOIN sortie.ended e ON e.number = d.parent
	LEFT JOIN sortie.firing f ON f.number = d.parent AND f.child < d.child
$$;

-- Tells the ends of jobs: p_state how they ended, p_after the last child that
-- was told. Edges are read in order of parents and children, at most 64 p_n of
-- them, and told to the first p_n children.
--     o_told   children that were told
--     o_look   those of them that can run now, or never will
--     o_number, o_after  jobs that may have edges left, and how far they came
CREATE OR REPLACE FUNCTION sortie.graph_tell_2(p_number bigint[],
	p_state sortie.job_state[], p_after bigint[], p_n int,
	OUT o_told int, OUT o_look bigint[], OUT o_number bigint[],
	OUT o_after bigint[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off     -- edges come in order
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_last bigint;                  -- children after it were not told
	v_parent bigint; v_child bigint; -- edges after this one were not read
BEGIN
	WITH t AS MATERIALIZED (
		SELECT u.number AS parent, d.child,
			sortie.cond_met_1(d.cond, u.state) AS met
		FROM (SELECT x.* FROM unnest(p_number, p_state, p_after)
				AS x(number, state, after)
			ORDER BY x.number) AS u
		CROSS JOIN LATERAL (SELECT y.child, y.cond
			FROM sortie.edge y
			WHERE y.parent = u.number AND y.child > u.after
			ORDER BY y.child) AS d
		ORDER BY u.number, d.child
		FETCH FIRST (64 * p_n) ROWS WITH TIES),
	k AS MATERIALIZED (
		SELECT max(t.parent) AS parent FROM t
		HAVING count(*) >= 64 * p_n),
	c AS MATERIALIZED (
		SELECT t.child, count(*)::int AS n, bool_or(t.met) AS met,
			bool_or(NOT t.met) AS unmet
		FROM t GROUP BY t.child ORDER BY t.child LIMIT p_n),
	m AS (
		UPDATE sortie.node n SET open = n.open - c.n,
			met = n.met OR c.met, unmet = n.unmet OR c.unmet
		FROM c WHERE n.number = ANY (ARRAY[c.child])
		RETURNING n.number, n.open = 0 OR CASE WHEN n.any_of
			THEN n.met ELSE n.unmet END AS moves)
	SELECT count(*), array_agg(m.number) FILTER (WHERE m.moves),
		CASE WHEN count(*) = p_n THEN max(m.number) END,
		(SELECT k.parent FROM k), (SELECT max(t.child) FROM k
			JOIN t ON t.parent = k.parent)
	INTO o_told, o_look, v_last, v_parent, v_child FROM m;
	IF v_last IS NOT NULL OR v_parent IS NOT NULL THEN
		SELECT array_agg(u.number), array_agg(greatest(u.after,
			CASE WHEN u.number > v_parent THEN u.after
			WHEN u.number = v_parent THEN least(v_child, v_last)
			ELSE v_last END))
		INTO o_number, o_after
		FROM unnest(p_number, p_after) AS u(number, after)
		WHERE v_last IS NOT NULL OR u.number >= v_parent;
	END IF;
END $$;

-- Jobs of a graph end without a run: skipped, or noops, which finish. They are
-- in `waiting`. Why a job is skipped: the first of its conditions that is not
-- met.
CREATE OR REPLACE FUNCTION sortie.graph_end_1(p_bucket int, p_number bigint[],
	p_state sortie.job_state) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
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
		SELECT d.number, d.kind_id, coalesce(x.reason, '') AS reason
		FROM d LEFT JOIN LATERAL (
			SELECT format('after "%s": it %s', n.name, CASE e.state
				WHEN 'finished' THEN 'finished'
				WHEN 'failed' THEN 'failed'
				WHEN 'timelimit' THEN 'ran into its time limit'
				ELSE 'was ' || e.state END) AS reason
			FROM sortie.edge y
			JOIN sortie.ended e ON e.number = y.parent
				AND NOT sortie.cond_met_1(y.cond, e.state)
			JOIN sortie.node n ON n.number = y.parent
			WHERE y.child = d.number AND p_state = 'skipped'
			ORDER BY y.parent LIMIT 1) AS x ON true),
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

-- Looks at jobs of a graph: which of them end now without a run, which run, and
-- which wait on for their time or behind their workflow's gate.
--     o_end, o_flow, o_state  ended: who, of which workflow, how
--     o_class to o_kind       out of `waiting`, for line_up_2
CREATE OR REPLACE FUNCTION sortie.graph_look_2(p_bucket int, p_look bigint[],
	OUT o_end bigint[], OUT o_flow bigint[], OUT o_state sortie.job_state[],
	OUT o_class int[], OUT o_place int[], OUT o_number bigint[],
	OUT o_attempt smallint[], OUT o_kind int[])
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_skip bigint[];
	v_noop bigint[];
	v_time bigint[];
	v_share bigint[];
BEGIN
	WITH c AS MATERIALIZED (
		SELECT n.number, n.workflow, CASE
			WHEN w.why <> 'share' AND CASE WHEN n.any_of
				THEN n.open = 0 AND NOT n.met
				ELSE n.unmet END THEN 'skip'
			WHEN g.state <> 'running' OR g.cancelling IS NOT NULL
				THEN 'wait'
			WHEN w.why = 'share' THEN 'go'
			WHEN w.why <> 'after' OR NOT CASE
				WHEN n.any_of THEN n.met ELSE n.open = 0 END
				THEN 'wait'
			WHEN n.noop THEN 'noop'
			WHEN w.due > now() THEN 'time'
			WHEN g.max_running IS NOT NULL THEN 'share'
			ELSE 'go' END AS fate
		FROM (SELECT DISTINCT x FROM unnest(p_look) AS x) AS u(number)
		JOIN sortie.node n ON n.number = ANY (ARRAY[u.number])
		JOIN sortie.waiting w ON w.number = ANY (ARRAY[n.number])
			AND w.why IN ('after', 'held', 'share')
		JOIN sortie.workflow g ON g.workflow = n.workflow
		WHERE w.why <> 'share' OR g.max_running IS NULL),
	d AS (
		DELETE FROM sortie.waiting w USING c
		WHERE c.fate = 'go' AND w.number = ANY (ARRAY[c.number])
		RETURNING w.class_id, w.place, w.number, w.attempt, w.kind_id)
	SELECT f.*, g.*
	INTO v_skip, v_noop, v_time, v_share, o_end, o_flow, o_state,
		o_class, o_place, o_number, o_attempt, o_kind
	FROM (SELECT array_agg(c.number) FILTER (WHERE c.fate = 'skip'),
			array_agg(c.number) FILTER (WHERE c.fate = 'noop'),
			array_agg(c.number) FILTER (WHERE c.fate = 'time'),
			array_agg(c.number) FILTER (WHERE c.fate = 'share'),
			array_agg(c.number)
				FILTER (WHERE c.fate IN ('skip', 'noop')),
			array_agg(c.workflow)
				FILTER (WHERE c.fate IN ('skip', 'noop')),
			array_agg(CASE c.fate WHEN 'skip'
				THEN 'skipped'::sortie.job_state
				ELSE 'finished' END)
				FILTER (WHERE c.fate IN ('skip', 'noop'))
		FROM c WHERE c.fate <> 'go') AS f,
		(SELECT array_agg(d.class_id), array_agg(d.place),
			array_agg(d.number), array_agg(d.attempt),
			array_agg(d.kind_id) FROM d) AS g;
	IF v_skip IS NOT NULL THEN
		PERFORM sortie.graph_end_1(p_bucket, v_skip, 'skipped');
	END IF;
	IF v_noop IS NOT NULL THEN
		PERFORM sortie.graph_end_1(p_bucket, v_noop, 'finished');
	END IF;
	IF v_time IS NOT NULL THEN
		UPDATE sortie.waiting w SET why = 'time'
		WHERE w.number = ANY (v_time);
	END IF;
	IF v_share IS NOT NULL THEN
		UPDATE sortie.waiting w SET why = 'share'
		WHERE w.number = ANY (v_share);
	END IF;
END $$;
