-- Duties: jobs whose time has come, classes that nobody uses.

-- Jobs whose time has come get into line, and those that stand before a gate
-- with room: whoever ended the one before may have met them locked. A duty, at
-- most p_max due ones at once. Returns how many.
CREATE OR REPLACE FUNCTION sortie.due_1(p_bucket int, p_max int) RETURNS int
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_n int; v_class int[]; v_place int[]; v_number bigint[];
	v_attempt smallint[]; v_kind int[];
	v record;
	r record;
BEGIN
	WITH t AS MATERIALIZED (
		SELECT w.number FROM sortie.waiting w
		WHERE w.why = 'time' AND w.due <= now()
		ORDER BY w.due LIMIT p_max FOR UPDATE SKIP LOCKED),
	b AS MATERIALIZED (
		SELECT n.number, n.workflow FROM t
		JOIN sortie.node n ON n.number = t.number AND NOT n.admitted
		JOIN sortie.workflow f ON f.workflow = n.workflow
			AND f.max_running IS NOT NULL),
	-- The maximum must not go while they get behind it; those of a
	-- workflow that somebody works on come next time.
	g AS MATERIALIZED (
		SELECT b.number, b.workflow FROM b
		JOIN sortie.workflow f ON f.workflow = b.workflow
			AND f.max_running IS NOT NULL
		ORDER BY b.workflow FOR NO KEY UPDATE OF f SKIP LOCKED),
	u AS (
		UPDATE sortie.waiting w SET why = 'share', due = NULL,
			workflow = g.workflow
		FROM g WHERE w.number = g.number),
	d AS (
		DELETE FROM sortie.waiting w WHERE w.number IN (
			SELECT number FROM t EXCEPT SELECT number FROM b)
		RETURNING class_id, place, number, attempt, kind_id)
	SELECT count(*), array_agg(class_id), array_agg(place),
		array_agg(number), array_agg(attempt), array_agg(kind_id)
	INTO v_n, v_class, v_place, v_number, v_attempt, v_kind FROM d;
	-- A workflow that somebody works on is looked at again soon. Its jobs
	-- get into line with the others: projects are locked once, in order.
	FOR v IN SELECT g.workflow FROM sortie.workflow g
		WHERE g.max_running IS NOT NULL AND g.state = 'running'
		AND g.admitted < g.max_running AND g.cancelling IS NULL
		AND EXISTS (SELECT 1 FROM sortie.waiting w
			WHERE w.why = 'share' AND w.workflow = g.workflow)
		ORDER BY g.workflow FOR NO KEY UPDATE SKIP LOCKED
	LOOP
		SELECT * INTO r FROM sortie.share_take_1(v.workflow, 10000);
		CONTINUE WHEN r.o_number IS NULL;
		v_n := v_n + cardinality(r.o_number);
		v_class := v_class || r.o_class;
		v_place := v_place || r.o_place;
		v_number := v_number || r.o_number;
		v_attempt := v_attempt || r.o_attempt;
		v_kind := v_kind || r.o_kind;
	END LOOP;
	IF v_n > 0 THEN
		PERFORM sortie.line_up_2(p_bucket, 'waiting', v_class, v_place,
			v_number, v_attempt, v_kind);
	END IF;
	FOR v IN SELECT p.project_id FROM sortie.project p
		WHERE p.max_running > p.admitted
		AND EXISTS (SELECT 1 FROM sortie.waiting w
			WHERE w.why = 'gate' AND w.project_id = p.project_id)
		ORDER BY p.project_id
	LOOP
		v_n := v_n + sortie.gate_open_1(p_bucket, v.project_id);
	END LOOP;
	RETURN v_n;
END $$;

-- Puts classes to sleep that nothing refers to and nobody used for an hour,
-- and forgets profiles without pilots. A duty; returns how many it changed.
CREATE OR REPLACE FUNCTION sortie.class_sleep_1(p_max int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
	v_class int[];
	v_gone int[];
	v_n int;
BEGIN
	PERFORM pg_advisory_xact_lock(7004);
	-- Marks that no claim has found empty, because no pilot fits.
	PERFORM sortie.class_rest_1(array_agg(s.class_id))
	FROM (SELECT r.class_id FROM sortie.class_ready r
		WHERE NOT EXISTS (SELECT 1
			FROM sortie.queue_head_1(r.class_id))
		LIMIT p_max) AS s;
	SELECT array_agg(s.class_id) INTO v_class
	FROM (SELECT c.class_id FROM sortie.class c
		WHERE c.active AND c.used_at < now() - interval '1 hour'
		AND NOT EXISTS (SELECT 1 FROM sortie.class_ready r
			WHERE r.class_id = c.class_id)
		ORDER BY c.used_at LIMIT p_max) AS s
	WHERE pg_try_advisory_xact_lock(7001, s.class_id);
	UPDATE sortie.class c
	SET active = false, profiles = '{}'
	WHERE c.class_id = ANY (v_class)
	AND NOT EXISTS (SELECT 1 FROM sortie.queue q
		WHERE q.class_id = c.class_id)
	AND NOT EXISTS (SELECT 1 FROM sortie.live l
		WHERE l.class_id = c.class_id)
	AND NOT EXISTS (SELECT 1 FROM sortie.waiting w
		WHERE w.class_id = c.class_id)
	AND NOT EXISTS (SELECT 1 FROM sortie.class_ready r
		WHERE r.class_id = c.class_id)
	AND NOT EXISTS (SELECT 1 FROM sortie.staged t
		WHERE t.class_id = c.class_id);
	GET DIAGNOSTICS v_n = ROW_COUNT;
	-- Those in use are asked again in an hour.
	UPDATE sortie.class c SET used_at = now()
	WHERE c.class_id = ANY (v_class) AND c.active;
	WITH d AS (DELETE FROM sortie.profile f
		WHERE NOT EXISTS (SELECT 1 FROM sortie.pilot_room p
			WHERE p.profile_id = f.profile_id)
		RETURNING f.profile_id)
	SELECT array_agg(profile_id) INTO v_gone FROM d;
	IF v_gone IS NOT NULL THEN
		UPDATE sortie.class c
		SET profiles = (SELECT coalesce(array_agg(x ORDER BY x), '{}')
			FROM unnest(c.profiles) AS x
			WHERE NOT x = ANY (v_gone))
		WHERE c.profiles && v_gone;
		PERFORM nextval('sortie.fit_version');
		v_n := v_n + cardinality(v_gone);
	END IF;
	RETURN v_n;
END $$;
