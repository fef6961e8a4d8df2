-- What administrators do to pilots, limits and projects.

-- As servers call it that want to hear of pilots alone.
CREATE OR REPLACE FUNCTION sortie.pilot_order_1(p_bucket int, p_loss_budget int,
	p_owner int, p_pilots bigint[], p_kill bool)
RETURNS TABLE (pilot bigint, code text, message text)
LANGUAGE sql AS $$
	SELECT o.pilot, o.code, o.message
	FROM sortie.pilot_order_2(p_bucket, p_loss_budget, p_owner, p_pilots,
		p_kill) AS o
	WHERE o.what IS NULL
$$;

-- Orders for pilots: drain, or kill (their runs end as lost, reason "pilot
-- killed", their jobs run again, and the pilot is told to stop). p_pilots:
-- numbers, already chosen. Returns a row per pilot, then with `what` those
-- that pilot_leave_2 has (number).
CREATE OR REPLACE FUNCTION sortie.pilot_order_2(p_bucket int, p_loss_budget int,
	p_owner int, p_pilots bigint[], p_kill bool)
RETURNS TABLE (pilot bigint, code text, message text, what "char",
	number bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	v record;
	e record;
	v_done bigint[] := '{}';
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	PERFORM 1 FROM sortie.pilot_room r
	JOIN sortie.pilot p ON p.pilot = r.pilot
		AND (p_owner IS NULL OR p.owner_id = p_owner)
	WHERE r.pilot = ANY (p_pilots) ORDER BY r.pilot FOR UPDATE OF r;
	FOR v IN SELECT DISTINCT n, r.pilot AS room, p.pilot AS known,
			p.end_state
		FROM unnest(p_pilots) AS n
		LEFT JOIN sortie.pilot p ON p.pilot = n
			AND (p_owner IS NULL OR p.owner_id = p_owner)
		LEFT JOIN sortie.pilot_room r ON r.pilot = p.pilot
		ORDER BY n
	LOOP
		pilot := v.n; code := NULL; message := NULL;
		IF v.known IS NULL THEN
			code := 'not_found';
			message := 'there is no pilot ' || v.n;
		ELSIF v.room IS NULL THEN
			code := 'conflict';
			message := 'pilot ' || v.n || ' has ended ('
				|| v.end_state || ')';
		ELSE
			v_done := v_done || v.n;
		END IF;
		RETURN NEXT;
	END LOOP;
	UPDATE sortie.pilot_room r SET notice = true,
		pilot_order = CASE WHEN p_kill THEN 'stop'
			ELSE coalesce(r.pilot_order, 'drain') END
	WHERE r.pilot = ANY (v_done);
	INSERT INTO sortie.event (kind, owner_id, pilot)
	SELECT CASE WHEN p_kill THEN 'pilot kill' ELSE 'pilot drain' END,
		p_owner, x
	FROM unnest(v_done) AS x;
	IF p_kill AND v_done <> '{}' THEN
		SELECT * INTO e FROM sortie.runs_lose_2(p_bucket,
			p_loss_budget, v_done, 'pilot killed', false);
		UPDATE sortie.pilot p
		SET end_state = 'killed', ended_at = now(),
			end_reason = 'killed'
		WHERE p.pilot = ANY (v_done) AND p.end_state IS NULL;
		RETURN QUERY SELECT NULL::bigint, NULL, NULL, 'e'::"char", x
		FROM unnest(e.o_ended) AS x;
		RETURN QUERY SELECT NULL::bigint, NULL, NULL, s.what, s.number
		FROM sortie.settle_2(p_bucket, e.o_left, NULL, e.o_freed,
			NULL, e.o_ended) AS s
		WHERE s.what <> 'w';
	END IF;
END $$;

-- Sets a limit's capacity (NULL: none), making it when it is new. A new limit
-- "jobtype:NAME" binds the queued and live jobs of that type: their classes
-- get it, and used is counted while no grant and no end can come between.
CREATE OR REPLACE FUNCTION sortie.limit_set_1(p_name text, p_capacity int)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	v_id int;
	v_jobtype text;
BEGIN
	PERFORM pg_advisory_xact_lock(7000);
	UPDATE sortie.lim SET capacity = p_capacity WHERE name = p_name
	RETURNING limit_id INTO v_id;
	IF FOUND THEN
		RETURN v_id;
	END IF;
	PERFORM pg_advisory_xact_lock(7004);
	LOCK TABLE sortie.live IN SHARE ROW EXCLUSIVE MODE;
	INSERT INTO sortie.lim (name, capacity) VALUES (p_name, p_capacity)
	RETURNING limit_id INTO v_id;
	IF p_name LIKE 'jobtype:%' THEN
		v_jobtype := substr(p_name, 9);
		UPDATE sortie.class c
		SET limit_ids = c.limit_ids || v_id,
			limit_counts = c.limit_counts || 1
		WHERE c.jobtype = v_jobtype
			AND NOT v_id = ANY (c.limit_ids);
		UPDATE sortie.lim SET used = (SELECT count(*)
			FROM sortie.live l
			JOIN sortie.class c ON c.class_id = l.class_id
			WHERE v_id = ANY (c.limit_ids))
		WHERE limit_id = v_id;
	END IF;
	RETURN v_id;
END $$;

-- Forgets a limit. False when a class that is in use names it.
CREATE OR REPLACE FUNCTION sortie.limit_delete_1(p_name text) RETURNS bool
LANGUAGE plpgsql AS $$
DECLARE
	v_id int;
	v_class int[];
BEGIN
	PERFORM pg_advisory_xact_lock(7000);
	PERFORM pg_advisory_xact_lock(7004);
	LOCK TABLE sortie.live IN SHARE ROW EXCLUSIVE MODE;
	SELECT limit_id INTO v_id FROM sortie.lim WHERE name = p_name;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	IF p_name NOT LIKE 'jobtype:%' THEN
		-- Classes that name it fall asleep with it, so that the next
		-- submission is refused, or finds the limit's successor.
		SELECT array_agg(c.class_id) INTO v_class
		FROM sortie.class c WHERE v_id = ANY (c.limit_ids);
		IF EXISTS (SELECT 1 FROM unnest(v_class) AS x
			WHERE NOT pg_try_advisory_xact_lock(7001, x))
		OR EXISTS (SELECT 1 FROM unnest(v_class) AS x
			WHERE EXISTS (SELECT 1 FROM sortie.queue q
				WHERE q.class_id = x)
			OR EXISTS (SELECT 1 FROM sortie.live l
				WHERE l.class_id = x)
			OR EXISTS (SELECT 1 FROM sortie.waiting w
				WHERE w.class_id = x)) THEN
			RETURN false;
		END IF;
		UPDATE sortie.class c SET active = false, profiles = '{}'
		WHERE c.class_id = ANY (v_class);
		DELETE FROM sortie.class_ready r
		WHERE r.class_id = ANY (v_class);
	END IF;
	UPDATE sortie.class c
	SET limit_ids = u.ids, limit_counts = u.counts
	FROM (SELECT k.class_id, coalesce(array_agg(l.id ORDER BY l.ord)
			FILTER (WHERE l.id <> v_id), '{}') AS ids,
			coalesce(array_agg(l.n ORDER BY l.ord)
			FILTER (WHERE l.id <> v_id), '{}') AS counts
		FROM sortie.class k, unnest(k.limit_ids, k.limit_counts)
			WITH ORDINALITY AS l(id, n, ord)
		WHERE v_id = ANY (k.limit_ids)
		GROUP BY k.class_id) AS u
	WHERE c.class_id = u.class_id;
	DELETE FROM sortie.lim WHERE limit_id = v_id;
	RETURN true;
END $$;

-- Sets a project's maximum of running jobs (NULL: none) and keep_last. Queued
-- jobs beyond the maximum go back behind the gate, the last in line first;
-- live ones stay.
CREATE OR REPLACE FUNCTION sortie.project_set_1(p_bucket int, p_name text, p_max int,
	p_set_max bool, p_keep bigint, p_set_keep bool)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	v_id int;
	v_over bigint;
	v_n int;
	v_kinds int[];
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	INSERT INTO sortie.project (name, turn)
	SELECT p_name, l.last_value FROM sortie.lane_turn l
	ON CONFLICT (name) DO NOTHING;
	-- Nobody may queue, grant or end while we count.
	PERFORM pg_advisory_xact_lock(7000);
	LOCK TABLE sortie.live IN SHARE ROW EXCLUSIVE MODE;
	SELECT project_id INTO v_id FROM sortie.project WHERE name = p_name
	FOR NO KEY UPDATE;
	UPDATE sortie.project p
	SET max_running = CASE WHEN p_set_max THEN p_max
			ELSE p.max_running END,
		keep_last = CASE WHEN p_set_keep THEN p_keep
			ELSE p.keep_last END
	WHERE p.project_id = v_id;
	IF p_set_max THEN
		UPDATE sortie.project p SET admitted = CASE WHEN p_max IS NULL
			THEN 0 ELSE (SELECT count(*) FROM sortie.queue q
				JOIN sortie.kind k ON k.kind_id = q.kind_id
				WHERE k.project_id = v_id)
			+ (SELECT count(*) FROM sortie.live l
				JOIN sortie.kind k ON k.kind_id = l.kind_id
				WHERE k.project_id = v_id) END
		WHERE p.project_id = v_id
		RETURNING p.admitted - p_max INTO v_over;
		IF v_over > 0 THEN
			WITH d AS (
				DELETE FROM sortie.queue q WHERE q.number IN (
					SELECT u.number FROM sortie.queue u
					JOIN sortie.kind k
						ON k.kind_id = u.kind_id
					WHERE k.project_id = v_id
					ORDER BY u.place DESC, u.turn DESC,
						u.number DESC LIMIT v_over)
				RETURNING *),
			i AS (
				INSERT INTO sortie.waiting (number, why,
					class_id, kind_id, project_id, place,
					turn, attempt)
				SELECT d.number, 'gate', d.class_id,
					d.kind_id, v_id, d.place, d.turn,
					d.attempt
				FROM d),
			u AS (
				UPDATE sortie.project p
				SET admitted = p.admitted
					- (SELECT count(*) FROM d)
				WHERE p.project_id = v_id)
			SELECT count(*), array_agg(d.kind_id)
			INTO v_n, v_kinds FROM d;
			IF v_n > 0 THEN
				PERFORM sortie.tally_add_1(p_bucket,
					v_kinds || v_kinds, array_fill(
					'defined'::sortie.job_state, ARRAY[v_n])
					|| array_fill('waiting'
					::sortie.job_state, ARRAY[v_n]),
					array_fill(-1::bigint, ARRAY[v_n])
					|| array_fill(1::bigint, ARRAY[v_n]));
			END IF;
		END IF;
		LOOP
			EXIT WHEN sortie.gate_open_1(p_bucket, v_id) = 0;
		END LOOP;
	END IF;
	RETURN v_id;
END $$;
