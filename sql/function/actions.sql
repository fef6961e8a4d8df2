-- What people do to jobs.
--
-- Every action on jobs takes numbers and who asks: p_owner is the owner's id,
-- NULL for an admin; p_projects limits the token ('{}' = all). Each returns a
-- row per number: ok, or the reason why not (code as on the wire). Those that
-- may end workflows also return the rows of settle_2 (but classes with work):
-- what is set in these and NULL in the others.

CREATE OR REPLACE FUNCTION sortie.may_touch_1(p_kind int, p_owner int, p_projects int[])
RETURNS bool LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT 1 FROM sortie.kind k WHERE k.kind_id = p_kind
		AND (p_owner IS NULL OR k.owner_id = p_owner)
		AND (p_projects = '{}' OR k.project_id = ANY (p_projects)))
$$;

-- Those of the jobs that whoever asks may change; '{}': none.
CREATE OR REPLACE FUNCTION sortie.jobs_mine_1(p_owner int, p_projects int[],
	p_numbers bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	RETURN ARRAY(SELECT j.number FROM sortie.job j
		WHERE j.number = ANY (p_numbers)
		AND sortie.may_touch_1(j.kind_id, p_owner, p_projects));
END $$;

-- The state of a job now; NULL when there is no such job.
CREATE OR REPLACE FUNCTION sortie.job_state_1(p_number bigint) RETURNS sortie.job_state
LANGUAGE sql STABLE AS $$
	SELECT coalesce(
		(SELECT CASE WHEN l.running THEN 'running' ELSE 'dispatched' END
			FROM sortie.live l WHERE l.number = p_number),
		(SELECT 'defined' FROM sortie.queue q
			WHERE q.number = p_number),
		(SELECT CASE w.why WHEN 'held' THEN 'held' ELSE 'waiting' END
			FROM sortie.waiting w WHERE w.number = p_number),
		(SELECT e.state::text FROM sortie.ended e
			WHERE e.number = p_number))::sortie.job_state
$$;

-- What every action on jobs begins with: the locks, in their order. Returns the
-- pilots of the jobs' live runs, locked.
CREATE OR REPLACE FUNCTION sortie.jobs_lock_1(p_owner int, p_projects int[],
	p_numbers bigint[]) RETURNS bigint[]
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_mine bigint[] := sortie.jobs_mine_1(p_owner, p_projects, p_numbers);
	v_pilots bigint[];
BEGIN
	SELECT coalesce(array_agg(DISTINCT l.pilot), '{}') INTO v_pilots
	FROM sortie.live l WHERE l.number = ANY (v_mine);
	IF v_pilots <> '{}' THEN
		PERFORM 1 FROM sortie.pilot_room p
		WHERE p.pilot = ANY (v_pilots) ORDER BY p.pilot
		FOR NO KEY UPDATE;
	END IF;
	PERFORM 1 FROM sortie.queue q WHERE q.number = ANY (v_mine)
	ORDER BY q.place, q.turn, q.number FOR UPDATE;
	PERFORM sortie.graph_lock_1(v_mine, true);
	RETURN v_pilots;
END $$;

-- The pilot of a job's live run, NULL when there is none; p_pilots: those that
-- are locked. A run that was granted since has another one, which is out of
-- order now: 55P03 when somebody has it.
CREATE OR REPLACE FUNCTION sortie.live_pilot_1(p_number bigint, p_pilots bigint[])
RETURNS bigint LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
	v_pilot bigint;
BEGIN
	SELECT l.pilot INTO v_pilot FROM sortie.live l
	WHERE l.number = p_number;
	IF FOUND AND NOT v_pilot = ANY (p_pilots) THEN
		PERFORM 1 FROM sortie.pilot_room p WHERE p.pilot = v_pilot
		FOR NO KEY UPDATE NOWAIT;
	END IF;
	RETURN v_pilot;
END $$;

-- An action looked for a job in one table after the other and found it in none,
-- because it moves: look again, but not for ever.
CREATE OR REPLACE FUNCTION sortie.job_moves_1(p_number bigint, p_tries int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF p_tries >= 10 THEN
		RAISE EXCEPTION 'job % does not stand still', p_number
			USING ERRCODE = '40001';
	END IF;
END $$;

-- The workflow a job belongs to, NULL when none.
CREATE OR REPLACE FUNCTION sortie.job_workflow_1(p_number bigint) RETURNS bigint
LANGUAGE sql STABLE AS $$
	SELECT n.workflow FROM sortie.node n WHERE n.number = p_number
$$;

-- As servers call it that want to hear of jobs alone.
CREATE OR REPLACE FUNCTION sortie.job_cancel_1(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[], p_delete bool)
RETURNS TABLE (number bigint, code text, message text, pilot bigint)
LANGUAGE sql AS $$
	SELECT c.number, c.code, c.message, c.pilot
	FROM sortie.job_cancel_3(p_bucket, p_owner, p_projects, p_numbers,
		p_delete, 'cancelled') AS c
	WHERE c.what IS NULL
$$;

-- Cancels jobs. Queued and waiting ones end at once; live runs get an order
-- and the job ends with the run (woken: the pilots in `pilot`). With p_delete
-- they go then; a workflow's jobs go only with it.
CREATE OR REPLACE FUNCTION sortie.job_cancel_3(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[], p_delete bool, p_reason text)
RETURNS TABLE (number bigint, code text, message text, pilot bigint,
	what "char")
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	v record;
	v_pilots bigint[];
	v_pilot bigint;
	v_state sortie.job_state;
	v_kinds int[] := '{}'; v_left int[] := '{}';
	v_states sortie.job_state[] := '{}';
	v_doomed bigint[] := '{}'; v_ended bigint[] := '{}';
	v_tries int;
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	v_pilots := sortie.jobs_lock_1(p_owner, p_projects, p_numbers);
	FOR v IN SELECT DISTINCT n, j.kind_id, CASE WHEN p_delete
			THEN sortie.job_workflow_1(n) END AS workflow
		FROM unnest(p_numbers) AS n
		LEFT JOIN sortie.job j ON j.number = n
			AND sortie.may_touch_1(j.kind_id, p_owner, p_projects)
		ORDER BY n
	LOOP
		number := v.n; code := NULL; message := NULL; pilot := NULL;
		v_state := NULL;
		v_tries := 0;
		IF v.workflow IS NOT NULL AND v.kind_id IS NOT NULL THEN
			code := 'conflict';
			message := 'job ' || v.n || ' belongs to workflow '
				|| v.workflow || ': it goes with that';
			RETURN NEXT;
			CONTINUE;
		END IF;
		WHILE v.kind_id IS NOT NULL LOOP
			v_pilot := sortie.live_pilot_1(v.n, v_pilots);
			UPDATE sortie.live l SET cancelling = true,
				cancel_at = coalesce(l.cancel_at, now()),
				deleting = l.deleting OR p_delete
			WHERE l.number = v.n AND l.pilot = v_pilot;
			IF FOUND THEN
				v_state := 'running';
				EXIT;
			END IF;
			DELETE FROM sortie.queue q WHERE q.number = v.n;
			IF FOUND THEN
				v_state := 'defined';
				EXIT;
			END IF;
			DELETE FROM sortie.waiting w WHERE w.number = v.n
			RETURNING CASE w.why WHEN 'held' THEN 'held'
				ELSE 'waiting' END INTO v_state;
			EXIT WHEN FOUND;
			SELECT e.state INTO v_state FROM sortie.ended e
			WHERE e.number = v.n FOR UPDATE;
			EXIT WHEN FOUND OR NOT EXISTS (SELECT 1
				FROM sortie.job j WHERE j.number = v.n);
			v_tries := v_tries + 1;
			PERFORM sortie.job_moves_1(v.n, v_tries);
		END LOOP;
		IF v_state IS NULL THEN
			code := 'not_found';
			message := 'there is no job ' || v.n;
		ELSIF v_state = 'running' THEN
			pilot := v_pilot;
			UPDATE sortie.pilot_room p SET notice = true
			WHERE p.pilot = v_pilot AND NOT p.notice;
			INSERT INTO sortie.event (kind, job, pilot)
			VALUES ('cancel asked', v.n, v_pilot);
		ELSIF v_state < 'finished' THEN
			INSERT INTO sortie.ended (number, kind_id, state,
				ended_at, reason)
			VALUES (v.n, v.kind_id, 'cancelled', now(),
				p_reason);
			v_ended := v_ended || v.n;
			INSERT INTO sortie.event (kind, job)
			VALUES ('cancelled', v.n);
			v_kinds := v_kinds || v.kind_id;
			v_states := v_states || v_state;
			IF v_state = 'defined' THEN
				v_left := v_left || v.kind_id;
			END IF;
		ELSIF NOT p_delete THEN
			code := 'conflict';
			message := 'job ' || v.n || ' has ended (' || v_state
				|| ')';
		END IF;
		IF p_delete AND code IS NULL AND v_state <> 'running' THEN
			v_doomed := v_doomed || v.n;
		END IF;
		RETURN NEXT;
	END LOOP;
	IF cardinality(v_kinds) > 0 THEN
		PERFORM sortie.tally_add_1(p_bucket, v_kinds || v_kinds,
			v_states || array_fill('cancelled'::sortie.job_state,
				ARRAY[cardinality(v_kinds)]),
			array_fill(-1::bigint, ARRAY[cardinality(v_kinds)])
			|| array_fill(1::bigint, ARRAY[cardinality(v_kinds)]));
		PERFORM sortie.tally_minute_add_1(p_bucket, v_kinds,
			array_fill('cancelled'::text,
				ARRAY[cardinality(v_kinds)]),
			array_fill(1::bigint, ARRAY[cardinality(v_kinds)]));
	END IF;
	IF cardinality(v_doomed) > 0 THEN
		PERFORM sortie.jobs_forget_1(p_bucket, v_doomed);
	END IF;
	IF cardinality(v_ended) > 0 THEN
		RETURN QUERY SELECT s.number, NULL, NULL, NULL::bigint, s.what
		FROM sortie.settle_2(p_bucket, v_left, NULL, NULL, NULL,
			v_ended) AS s
		WHERE s.what <> 'w';
	END IF;
END $$;

-- Deletes ended jobs; others are refused (cancel them with it: job_cancel_3).
CREATE OR REPLACE FUNCTION sortie.job_delete_1(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[])
RETURNS TABLE (number bigint, code text, message text, pilot bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	v record;
	v_state sortie.job_state;
	v_doomed bigint[] := '{}';
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	FOR v IN SELECT DISTINCT n, j.kind_id,
			sortie.job_workflow_1(n) AS workflow
		FROM unnest(p_numbers) AS n
		LEFT JOIN sortie.job j ON j.number = n
			AND sortie.may_touch_1(j.kind_id, p_owner, p_projects)
		ORDER BY n
	LOOP
		number := v.n; code := NULL; message := NULL;
		v_state := sortie.job_state_1(v.n);
		IF v_state >= 'finished' AND v.kind_id IS NOT NULL
		AND v.workflow IS NULL THEN
			PERFORM 1 FROM sortie.ended e WHERE e.number = v.n
			FOR UPDATE;
			IF FOUND THEN
				v_doomed := v_doomed || v.n;
			ELSE
				v_state := sortie.job_state_1(v.n);
			END IF;
		END IF;
		IF v.kind_id IS NULL OR v_state IS NULL THEN
			code := 'not_found';
			message := 'there is no job ' || v.n;
		ELSIF v_state < 'finished' THEN
			code := 'conflict';
			message := 'job ' || v.n || ' is ' || v_state
				|| ': cancel it first, or delete it with --cancel';
		ELSIF v.workflow IS NOT NULL THEN
			code := 'conflict';
			message := 'job ' || v.n || ' belongs to workflow '
				|| v.workflow || ': it goes with that';
		END IF;
		RETURN NEXT;
	END LOOP;
	IF cardinality(v_doomed) > 0 THEN
		PERFORM sortie.jobs_forget_1(p_bucket, v_doomed);
		INSERT INTO sortie.event (kind, owner_id, text, detail)
		VALUES ('deleted', p_owner, cardinality(v_doomed) || CASE
			cardinality(v_doomed) WHEN 1 THEN ' job' ELSE ' jobs' END,
			to_json(v_doomed));
	END IF;
END $$;

-- As servers call it that want to hear of jobs alone.
CREATE OR REPLACE FUNCTION sortie.job_hold_1(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[])
RETURNS TABLE (number bigint, code text, message text, pilot bigint)
LANGUAGE sql AS $$
	SELECT h.number, h.code, h.message, h.pilot
	FROM sortie.job_hold_2(p_bucket, p_owner, p_projects, p_numbers) AS h
	WHERE h.what IS NULL
$$;

-- Holds waiting and queued jobs. One of a graph whose conditions cannot be met
-- any more, because what it comes after was tried again meanwhile, is skipped.
CREATE OR REPLACE FUNCTION sortie.job_hold_2(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[])
RETURNS TABLE (number bigint, code text, message text, pilot bigint,
	what "char")
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	v record;
	q sortie.queue;
	v_state sortie.job_state;
	v_kinds int[] := '{}'; v_left int[] := '{}';
	v_states sortie.job_state[] := '{}';
	v_held bigint[] := '{}';
	v_tries int;
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	PERFORM sortie.jobs_lock_1(p_owner, p_projects, p_numbers);
	FOR v IN SELECT DISTINCT n, j.kind_id, k.project_id
		FROM unnest(p_numbers) AS n
		LEFT JOIN sortie.job j ON j.number = n
			AND sortie.may_touch_1(j.kind_id, p_owner, p_projects)
		LEFT JOIN sortie.kind k ON k.kind_id = j.kind_id
		ORDER BY n
	LOOP
		number := v.n; code := NULL; message := NULL;
		v_state := NULL;
		v_tries := 0;
		WHILE v.kind_id IS NOT NULL LOOP
			DELETE FROM sortie.queue u WHERE u.number = v.n
			RETURNING * INTO q;
			IF FOUND THEN
				INSERT INTO sortie.waiting (number, why,
					class_id, kind_id, project_id, place,
					turn, attempt)
				VALUES (v.n, 'held', q.class_id, q.kind_id,
					v.project_id, q.place, q.turn,
					q.attempt);
				v_state := 'defined';
				v_left := v_left || v.kind_id;
				EXIT;
			END IF;
			UPDATE sortie.waiting w SET why = 'held', due = NULL
			WHERE w.number = v.n AND w.why <> 'held';
			IF FOUND THEN
				v_state := 'waiting';
				EXIT;
			END IF;
			v_state := sortie.job_state_1(v.n);
			EXIT WHEN v_state IS NULL
				OR v_state NOT IN ('waiting', 'defined');
			v_tries := v_tries + 1;
			PERFORM sortie.job_moves_1(v.n, v_tries);
		END LOOP;
		IF v_state IS NULL THEN
			code := 'not_found';
			message := 'there is no job ' || v.n;
		ELSIF v_state IN ('waiting', 'defined') THEN
			v_states := v_states || v_state;
			v_kinds := v_kinds || v.kind_id;
			v_held := v_held || v.n;
			INSERT INTO sortie.event (kind, job)
			VALUES ('held', v.n);
		ELSIF v_state <> 'held' THEN
			code := 'conflict';
			message := 'job ' || v.n || ' is ' || v_state
				|| ': only waiting and defined jobs can be held';
		END IF;
		RETURN NEXT;
	END LOOP;
	IF cardinality(v_kinds) > 0 THEN
		PERFORM sortie.tally_add_1(p_bucket, v_kinds || v_kinds,
			v_states || array_fill('held'::sortie.job_state,
				ARRAY[cardinality(v_kinds)]),
			array_fill(-1::bigint, ARRAY[cardinality(v_kinds)])
			|| array_fill(1::bigint, ARRAY[cardinality(v_kinds)]));
	END IF;
	IF cardinality(v_held) > 0 THEN
		RETURN QUERY SELECT s.number, NULL, NULL, NULL::bigint, s.what
		FROM sortie.graph_settle_1(p_bucket, v_left, NULL, NULL, NULL,
			v_held, NULL, v_held, 256, 64) AS s
		WHERE s.what <> 'w';
	END IF;
END $$;

-- As servers call it that want to hear of jobs alone.
CREATE OR REPLACE FUNCTION sortie.job_release_1(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[])
RETURNS TABLE (number bigint, code text, message text, pilot bigint)
LANGUAGE sql AS $$
	SELECT r.number, r.code, r.message, r.pilot
	FROM sortie.job_release_2(p_bucket, p_owner, p_projects, p_numbers)
		AS r
	WHERE r.what IS NULL
$$;

-- Releases held jobs. Those of a graph wait for what else they wait for.
CREATE OR REPLACE FUNCTION sortie.job_release_2(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[])
RETURNS TABLE (number bigint, code text, message text, pilot bigint,
	what "char")
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	v record;
	w sortie.waiting;
	v_all sortie.waiting[] := '{}';
	v_look bigint[];
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	PERFORM sortie.graph_lock_1(sortie.jobs_mine_1(p_owner, p_projects,
		p_numbers), true);
	FOR v IN SELECT DISTINCT n, j.kind_id
		FROM unnest(p_numbers) AS n
		LEFT JOIN sortie.job j ON j.number = n
			AND sortie.may_touch_1(j.kind_id, p_owner, p_projects)
		ORDER BY n
	LOOP
		number := v.n; code := NULL; message := NULL;
		IF v.kind_id IS NULL THEN
			code := 'not_found';
			message := 'there is no job ' || v.n;
		ELSE
			DELETE FROM sortie.waiting u
			WHERE u.number = v.n AND u.why = 'held'
				AND sortie.job_workflow_1(v.n) IS NULL
			RETURNING * INTO w;
			IF FOUND THEN
				v_all := v_all || w;
				INSERT INTO sortie.event (kind, job)
				VALUES ('released', v.n);
				RETURN NEXT;
				CONTINUE;
			END IF;
			UPDATE sortie.waiting u SET why = 'after',
				workflow = sortie.job_workflow_1(v.n)
			WHERE u.number = v.n AND u.why = 'held'
			RETURNING * INTO w;
			IF FOUND THEN
				v_look := v_look || v.n;
				PERFORM sortie.tally_move_1(p_bucket,
					ARRAY[w.kind_id], 'held', 'waiting');
				INSERT INTO sortie.event (kind, job)
				VALUES ('released', v.n);
			ELSE
				code := 'conflict';
				message := 'job ' || v.n || ' is '
					|| coalesce(sortie.job_state_1(v.n)
					::text, 'deleted') || ', not held';
			END IF;
		END IF;
		RETURN NEXT;
	END LOOP;
	IF v_look IS NOT NULL THEN
		PERFORM sortie.projects_lock_1((SELECT array_agg(j.kind_id)
			FROM sortie.job j WHERE j.number = ANY (v_look
			|| ARRAY(SELECT u.number FROM unnest(v_all) AS u))));
		RETURN QUERY SELECT s.number, NULL, NULL, NULL::bigint, s.what
		FROM sortie.graph_settle_1(p_bucket, NULL, NULL, NULL, NULL,
			NULL, NULL, v_look, 256, 64) AS s
		WHERE s.what <> 'w';
	END IF;
	IF cardinality(v_all) > 0 THEN
		PERFORM sortie.line_up_2(p_bucket, 'held',
			array_agg(u.class_id), array_agg(u.place),
			array_agg(u.number), array_agg(u.attempt),
			array_agg(u.kind_id))
		FROM unnest(v_all) AS u;
	END IF;
END $$;

-- A time limit rounded up to an eighth of a power of two, as classes count it
-- (classes_life in server/classes.c is the same).
CREATE OR REPLACE FUNCTION sortie.life_1(p_timeout_s bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	v_step bigint := 1;
BEGIN
	IF p_timeout_s <= 0 THEN
		RETURN 0;
	END IF;
	WHILE v_step * 16 <= p_timeout_s LOOP
		v_step := v_step * 2;
	END LOOP;
	RETURN (p_timeout_s + v_step - 1) / v_step * v_step;
END $$;

-- Changes of jobs by hand. p_set: priority, timeout, retries, name, comment,
-- description (checked by the server). A new timeout moves a job into the class
-- of its new life time. Ended jobs are refused.
CREATE OR REPLACE FUNCTION sortie.job_adjust_1(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[], p_set jsonb)
RETURNS TABLE (number bigint, code text, message text, pilot bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	v record;
	v_place int := ~(p_set ->> 'priority')::int;
	v_patch jsonb := p_set - 'priority' - 'state';
	v_state sortie.job_state;
	v_pilots bigint[];
	v_tries int;
	v_from int[]; v_to int[];
	q sortie.queue;
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	IF p_set ? 'timeout' THEN
		SELECT array_agg(c.class_id), array_agg(e.class_id)
		INTO v_from, v_to
		FROM sortie.class c
		CROSS JOIN LATERAL sortie.class_ensure_1(c.owner_id,
			regexp_replace(c.key, '^\d+ \d+ ', '')::jsonb,
			sortie.life_1((p_set ->> 'timeout')::bigint)) AS e
		WHERE c.class_id IN (SELECT j.class_id FROM sortie.job j
			WHERE j.number = ANY (p_numbers)
			AND sortie.may_touch_1(j.kind_id, p_owner,
				p_projects));
	END IF;
	v_pilots := sortie.jobs_lock_1(p_owner, p_projects, p_numbers);
	FOR v IN SELECT DISTINCT n, j.kind_id
		FROM unnest(p_numbers) AS n
		LEFT JOIN sortie.job j ON j.number = n
			AND sortie.may_touch_1(j.kind_id, p_owner, p_projects)
		ORDER BY n
	LOOP
		number := v.n; code := NULL; message := NULL;
		IF v.kind_id IS NULL THEN
			code := 'not_found';
			message := 'there is no job ' || v.n;
			RETURN NEXT;
			CONTINUE;
		END IF;
		-- A live run is not adjusted, its later attempts are.
		v_tries := 0;
		LOOP
			UPDATE sortie.live l SET place = coalesce(v_place,
				l.place), class_id = coalesce(v_to[
				array_position(v_from, l.class_id)],
				l.class_id)
			WHERE l.number = v.n AND l.pilot
				= sortie.live_pilot_1(v.n, v_pilots);
			EXIT WHEN FOUND;
			DELETE FROM sortie.queue u WHERE u.number = v.n
			RETURNING * INTO q;
			IF FOUND THEN
				PERFORM sortie.queue_put_1(ARRAY[coalesce(v_to[
					array_position(v_from, q.class_id)],
					q.class_id)],
					ARRAY[coalesce(v_place, q.place)],
					ARRAY[q.turn], ARRAY[q.number],
					ARRAY[q.attempt], ARRAY[q.kind_id]);
				EXIT;
			END IF;
			UPDATE sortie.waiting w SET place = coalesce(v_place,
				w.place), class_id = coalesce(v_to[
				array_position(v_from, w.class_id)],
				w.class_id)
			WHERE w.number = v.n;
			EXIT WHEN FOUND;
			v_state := sortie.job_state_1(v.n);
			EXIT WHEN v_state IS NULL OR v_state >= 'finished';
			v_tries := v_tries + 1;
			PERFORM sortie.job_moves_1(v.n, v_tries);
		END LOOP;
		IF NOT FOUND THEN
			code := 'conflict';
			message := 'job ' || v.n || ' has ended (' || coalesce(
				v_state::text, 'deleted') || ')';
			RETURN NEXT;
			CONTINUE;
		END IF;
		UPDATE sortie.job j
		SET priority = coalesce(~v_place, j.priority),
			class_id = coalesce(v_to[array_position(v_from,
				j.class_id)], j.class_id),
			name = coalesce(p_set ->> 'name', j.name),
			definition = CASE
				WHEN v_patch = '{}' AND v_place IS NULL
				THEN j.definition
				ELSE (j.definition::jsonb || v_patch
				|| CASE WHEN v_place IS NULL THEN '{}'
				ELSE jsonb_build_object('priority', ~v_place)
				END)::text END
		WHERE j.number = v.n;
		INSERT INTO sortie.event (kind, job, detail)
		VALUES ('adjusted', v.n, p_set::json);
		RETURN NEXT;
	END LOOP;
END $$;
