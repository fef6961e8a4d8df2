-- How jobs get into line: their turns, the gates of their projects, and what is
-- settled at the end of whatever moves jobs.

-- Lets jobs of a project with a maximum through its gate while there is room.
-- Returns how many. Locks the project's row. Does nothing without a maximum.
CREATE OR REPLACE FUNCTION sortie.gate_open_1(p_bucket int, p_project int) RETURNS int
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_room int;
	v_n int := 0;
	v_class int[]; v_place int[]; v_turn bigint[]; v_number bigint[];
	v_attempt smallint[]; v_kind int[];
BEGIN
	SELECT CASE WHEN max_running IS NULL THEN 1000000000
		ELSE max_running - admitted END
	INTO v_room FROM sortie.project WHERE project_id = p_project
	FOR NO KEY UPDATE;
	IF v_room IS NULL OR v_room <= 0 THEN
		RETURN 0;
	END IF;
	WITH d AS (
		DELETE FROM sortie.waiting WHERE number IN (
			SELECT number FROM sortie.waiting
			WHERE why = 'gate' AND project_id = p_project
			ORDER BY place, turn, number
			LIMIT least(v_room, 10000)
			FOR UPDATE SKIP LOCKED)
		RETURNING class_id, place, turn, number, attempt, kind_id)
	SELECT count(*), array_agg(class_id), array_agg(place),
		array_agg(turn), array_agg(number), array_agg(attempt),
		array_agg(kind_id)
	INTO v_n, v_class, v_place, v_turn, v_number, v_attempt, v_kind
	FROM d;
	IF v_n > 0 THEN
		PERFORM sortie.queue_put_1(v_class, v_place, v_turn, v_number,
			v_attempt, v_kind);
		UPDATE sortie.project SET admitted = admitted + v_n
		WHERE project_id = p_project AND max_running IS NOT NULL;
		PERFORM sortie.tally_add_1(p_bucket, v_kind || v_kind,
			array_fill('waiting'::sortie.job_state, ARRAY[v_n])
			|| array_fill('defined'::sortie.job_state, ARRAY[v_n]),
			array_fill(-1::bigint, ARRAY[v_n])
			|| array_fill(1::bigint, ARRAY[v_n]));
	END IF;
	RETURN v_n;
END $$;

-- The last thing of whatever moved runs or queued jobs: projects with a maximum,
-- then limits, by id. An element for each job:
--     p_left   kinds of those that left the queue or their run for good
--     p_came   kinds of those that came past their project's gate
--     p_freed  classes of runs that ended, p_taken  of runs that came back
-- Any of them may be NULL. Lets jobs through the gates that have room now.
CREATE OR REPLACE FUNCTION sortie.settle_1(p_bucket int, p_left int[], p_came int[],
	p_freed int[], p_taken int[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v record;
BEGIN
	IF EXISTS (SELECT 1 FROM sortie.project
		WHERE max_running IS NOT NULL) THEN
		FOR v IN
			SELECT k.project_id, sum(u.n) AS n
			FROM (SELECT x, 1 AS n FROM unnest(p_left) AS x
				UNION ALL
				SELECT x, -1 FROM unnest(p_came) AS x)
				AS u(kind_id, n)
			JOIN sortie.kind k ON k.kind_id = u.kind_id
			GROUP BY k.project_id ORDER BY k.project_id
		LOOP
			UPDATE sortie.project SET admitted = admitted - v.n
			WHERE project_id = v.project_id
				AND max_running IS NOT NULL;
			IF FOUND THEN
				PERFORM sortie.gate_open_1(p_bucket,
					v.project_id);
			END IF;
		END LOOP;
	END IF;
	IF EXISTS (SELECT 1 FROM sortie.lim) THEN
		FOR v IN
			SELECT u.limit_id, sum(u.n * g.n) AS n
			FROM (SELECT h.c, sum(h.n) AS n
				FROM (SELECT x, 1 AS n
					FROM unnest(p_freed) AS x
					UNION ALL
					SELECT x, -1 FROM unnest(p_taken) AS x)
					AS h(c, n)
				GROUP BY h.c) AS g
			JOIN sortie.class k ON k.class_id = g.c
				AND k.limit_ids <> '{}'
			CROSS JOIN LATERAL unnest(k.limit_ids, k.limit_counts)
				AS u(limit_id, n)
			GROUP BY u.limit_id ORDER BY u.limit_id
		LOOP
			UPDATE sortie.lim SET used = used - v.n
			WHERE limit_id = v.limit_id;
		END LOOP;
	END IF;
END $$;

-- Jobs come (back) into line with turns of their own, in order of their numbers:
-- released, due, retried. They must be in no other table any more. Sets the
-- counters of where they arrive, and of where they were: p_was; NULL: the caller
-- did.
CREATE OR REPLACE FUNCTION sortie.line_up_2(p_bucket int,
	p_was sortie.job_state, p_class int[], p_place int[], p_number bigint[],
	p_attempt smallint[], p_kind int[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v record;
	v_turn bigint;                  -- before the first of theirs
	v_gated bool;
	t_kind int[]; t_state sortie.job_state[]; t_n bigint[];
BEGIN
	FOR v IN
		SELECT k.project_id, sum(u.n)::bigint AS n,
			array_agg(u.kind_id) AS kind, array_agg(u.n) AS n_kind,
			array_agg(-u.n) AS n_less
		FROM (SELECT x AS kind_id, count(*) AS n
			FROM unnest(p_kind) AS x GROUP BY x) AS u
		JOIN sortie.kind k ON k.kind_id = u.kind_id
		GROUP BY k.project_id ORDER BY k.project_id
	LOOP
		UPDATE sortie.project p
		SET turn = greatest((SELECT l.last_value
				FROM sortie.lane_turn l),
			p.turn + 1) + v.n - 1
		WHERE p.project_id = v.project_id
		RETURNING p.turn - v.n, p.max_running IS NOT NULL
		INTO v_turn, v_gated;
		IF v_gated THEN
			INSERT INTO sortie.waiting (number, why, class_id,
				kind_id, project_id, place, turn, attempt)
			SELECT u.number, 'gate', u.class_id, u.kind_id,
				v.project_id, u.place, v_turn + row_number()
				OVER (ORDER BY u.number), u.attempt
			FROM unnest(p_class, p_place, p_number, p_attempt,
				p_kind) AS u(class_id, place, number, attempt,
				kind_id)
			WHERE u.kind_id = ANY (v.kind);
		ELSE
			PERFORM sortie.classes_mark_2(array_agg(u.c),
				array_agg(u.place), array_agg(v_turn + 1),
				array_agg(0::bigint))
			FROM (SELECT x.c, min(x.place) AS place
				FROM unnest(p_class, p_place, p_kind)
					AS x(c, place, k)
				WHERE x.k = ANY (v.kind)
				GROUP BY x.c ORDER BY x.c) AS u;
			INSERT INTO sortie.queue (class_id, place, turn,
				number, attempt, kind_id)
			SELECT u.class_id, u.place, v_turn + row_number()
				OVER (ORDER BY u.number), u.number, u.attempt,
				u.kind_id
			FROM unnest(p_class, p_place, p_number, p_attempt,
				p_kind) AS u(class_id, place, number, attempt,
				kind_id)
			WHERE u.kind_id = ANY (v.kind);
		END IF;
		t_kind := v.kind;
		t_state := array_fill(CASE WHEN v_gated
			THEN 'waiting'::sortie.job_state ELSE 'defined' END,
			ARRAY[cardinality(v.kind)]);
		t_n := v.n_kind;
		IF p_was IS NOT NULL THEN
			t_kind := t_kind || t_kind;
			t_state := t_state || array_fill(p_was,
				ARRAY[cardinality(v.kind)]);
			t_n := t_n || v.n_less;
		END IF;
		PERFORM sortie.tally_add_1(p_bucket, t_kind, t_state, t_n);
		IF v_gated THEN
			PERFORM sortie.gate_open_1(p_bucket, v.project_id);
		END IF;
	END LOOP;
END $$;
