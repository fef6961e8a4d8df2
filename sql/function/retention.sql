-- What becomes of old things.
--
-- Steps are small (at most 1,000 jobs), so that they hold no snapshot and no
-- lock for long; they skip what others have locked, and run one at a time
-- under the advisory lock 7006.

-- Removes jobs that ended longer than p_keep_s ago (0: never), at most p_max, but
-- those of workflows, which go whole (workflow_forget_1);
-- some 5,000 numbers are looked at. True when there may be more.
CREATE OR REPLACE FUNCTION sortie.retention_time_1(p_bucket int, p_keep_s bigint,
	p_max int, OUT n int, OUT more bool)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
DECLARE
	v_cut timestamptz := now() - make_interval(secs => p_keep_s);
	-- Later numbers were submitted, so ended, after that time.
	v_bound bigint := sortie.number_since_1(v_cut);
	v_after bigint;
	v_last bigint;
	v_read int;
	v_old bigint[];
	v_doomed bigint[];
BEGIN
	n := 0;
	more := false;
	IF p_keep_s = 0 THEN
		RETURN;
	END IF;
	SELECT s.after INTO v_after FROM sortie.sweep s
	WHERE s.name = 'retention';
	SELECT count(*), max(x.number), array_agg(x.number ORDER BY x.number)
		FILTER (WHERE x.ended_at < v_cut AND NOT EXISTS (SELECT 1
			FROM sortie.node n WHERE n.number = x.number))
	INTO v_read, v_last, v_old
	FROM (SELECT e.number, e.ended_at FROM sortie.ended e
		WHERE e.number > v_after AND e.number < v_bound
		ORDER BY e.number LIMIT 5000) AS x;
	IF cardinality(v_old) > p_max THEN
		v_old := v_old[1 : p_max];
		v_last := v_old[p_max];
		more := true;
	ELSIF v_read = 5000 THEN
		more := true;
	ELSE
		v_last := 0;
	END IF;
	IF v_last <> v_after THEN
		UPDATE sortie.sweep s SET after = v_last
		WHERE s.name = 'retention';
	END IF;
	IF v_old IS NOT NULL THEN
		SELECT array_agg(x.number) INTO v_doomed
		FROM (SELECT e.number FROM sortie.ended e
			WHERE e.number = ANY (v_old) AND e.ended_at < v_cut
			ORDER BY e.number FOR UPDATE SKIP LOCKED) AS x;
	END IF;
	IF v_doomed IS NOT NULL THEN
		PERFORM sortie.jobs_forget_1(p_bucket, v_doomed);
		n := cardinality(v_doomed);
	END IF;
END $$;

-- Removes the oldest ended jobs of projects that keep only their last ones, at
-- most p_max. The counters say which projects have too many.
CREATE OR REPLACE FUNCTION sortie.retention_last_1(p_bucket int, p_max int,
	OUT n int, OUT more bool)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v record;
	v_doomed bigint[];
	v_flow bigint[];
	v_want bigint;
	v_deep bigint;
BEGIN
	n := 0;
	more := false;
	FOR v IN
		-- Those that go already, and those that cannot go yet, do not
		-- count.
		SELECT p.project_id, sum(t.n) - p.keep_last - coalesce((
				SELECT sum(g.n_jobs) FROM sortie.workflow g
				WHERE g.deleting AND g.ended_at IS NOT NULL
				AND g.project_id = p.project_id), 0)
			- coalesce((SELECT sum(g.n_ended)
				FROM sortie.workflow g
				WHERE g.state IN ('held', 'running')
				AND g.project_id = p.project_id), 0) AS excess,
			array_agg(DISTINCT k.kind_id) AS kinds
		FROM sortie.project p
		JOIN sortie.kind k ON k.project_id = p.project_id
		JOIN sortie.tally t ON t.kind_id = k.kind_id
			AND t.state >= 'finished'
		WHERE p.keep_last IS NOT NULL
		GROUP BY p.project_id, p.keep_last
		HAVING sum(t.n) > p.keep_last
	LOOP
		-- The oldest of each kind, and of these only what is known to
		-- come before all that was not read.
		CONTINUE WHEN v.excess <= 0;
		v_want := least(v.excess, p_max - n);
		v_deep := least(v_want, 10 + 2 * v_want / cardinality(v.kinds));
		WITH c AS (
			SELECT k.kind_id, h.number
			FROM unnest(v.kinds) AS k(kind_id)
			CROSS JOIN LATERAL (
				SELECT j.number FROM sortie.job j
				JOIN sortie.ended d ON d.number = j.number
				WHERE j.kind_id = k.kind_id
				AND NOT EXISTS (SELECT 1 FROM sortie.node m
					JOIN sortie.workflow g
					ON g.workflow = m.workflow
					WHERE m.number = j.number
					AND (g.ended_at IS NULL OR g.deleting))
				ORDER BY j.number LIMIT v_deep) AS h),
		f AS (SELECT min(g.last) AS last
			FROM (SELECT max(c.number) AS last FROM c
				GROUP BY c.kind_id
				HAVING count(*) >= v_deep) AS g)
		SELECT array_agg(x.number) INTO v_doomed
		FROM (SELECT e.number FROM sortie.ended e
			WHERE e.number IN (
				SELECT c.number FROM c, f
				WHERE f.last IS NULL OR c.number <= f.last
				ORDER BY c.number LIMIT v_want)
			ORDER BY e.number FOR UPDATE SKIP LOCKED) AS x;
		-- Workflows go whole, when they are among the oldest.
		SELECT array_agg(m.workflow) FILTER (WHERE m.number
				IS NOT NULL),
			array_agg(x) FILTER (WHERE m.number IS NULL)
		INTO v_flow, v_doomed FROM unnest(v_doomed) AS x
		LEFT JOIN sortie.node m ON m.number = x;
		v_want := v.excess - coalesce(cardinality(v_doomed), 0);
		UPDATE sortie.workflow g SET deleting = true
		WHERE g.workflow IN (SELECT w.workflow
			FROM sortie.workflow w WHERE w.workflow IN (
				SELECT o.workflow FROM (SELECT y.workflow,
					sum(y.n_jobs) OVER (ORDER BY
						y.workflow) AS upto
					FROM sortie.workflow y
					WHERE y.workflow = ANY (v_flow)) AS o
				WHERE o.upto <= v_want)
			AND w.ended_at IS NOT NULL
			ORDER BY w.workflow FOR NO KEY UPDATE SKIP LOCKED);
		more := more OR FOUND;
		IF v_doomed IS NOT NULL THEN
			PERFORM sortie.jobs_forget_1(p_bucket, v_doomed);
			n := n + cardinality(v_doomed);
			more := more OR cardinality(v_doomed) < v.excess;
		END IF;
		EXIT WHEN n >= p_max;
	END LOOP;
END $$;

-- One step of everything that gets too old.
--     p_keep_s        ended jobs, with their runs and output, and pilots
--     p_event_keep_s  events
--     p_max           jobs at most, of each reason
-- Both in seconds, 0 = for ever. more: come again soon.
CREATE OR REPLACE FUNCTION sortie.retention_step_1(p_bucket int, p_keep_s bigint,
	p_event_keep_s bigint, p_max int,
	OUT jobs int, OUT events int, OUT pilots int, OUT more bool)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_by_time record;
	v_by_last record;
BEGIN
	jobs := 0;
	events := 0;
	pilots := 0;
	more := false;
	IF NOT pg_try_advisory_xact_lock(7006) THEN
		RETURN;
	END IF;
	SELECT * INTO v_by_time
	FROM sortie.retention_time_1(p_bucket, p_keep_s, p_max);
	SELECT * INTO v_by_last FROM sortie.retention_last_1(p_bucket, p_max);
	jobs := v_by_time.n + v_by_last.n;

	IF p_event_keep_s > 0 THEN
		DELETE FROM sortie.event x USING (
			SELECT e.xid, e.seq, e.at FROM sortie.event e
			ORDER BY e.xid, e.seq LIMIT 1000) AS o
		WHERE x.xid = o.xid AND x.seq = o.seq AND o.at < now()
			- make_interval(secs => p_event_keep_s);
		GET DIAGNOSTICS events = ROW_COUNT;
	END IF;
	IF p_keep_s > 0 THEN
		DELETE FROM sortie.pilot p WHERE p.pilot IN (
			SELECT o.pilot FROM sortie.pilot o
			WHERE o.ended_at < now()
				- make_interval(secs => p_keep_s)
			AND NOT EXISTS (SELECT 1 FROM sortie.run r
				WHERE r.pilot = o.pilot)
			ORDER BY o.ended_at LIMIT 200
			FOR UPDATE SKIP LOCKED);
		GET DIAGNOSTICS pilots = ROW_COUNT;
	END IF;
	more := v_by_time.more OR v_by_last.more OR events = 1000
		OR pilots = 200;
END $$;
