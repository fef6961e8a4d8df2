-- 0008: what people do to jobs, pilots, limits and projects.
--
-- Every action on jobs takes numbers and who asks: p_owner is the owner's id,
-- NULL for an admin; p_projects limits the token ('{}' = all). Each returns a
-- row per number: ok, or the reason why not (code as on the wire).

CREATE FUNCTION sortie.may_touch_1(p_kind int, p_owner int, p_projects int[])
RETURNS bool LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT 1 FROM sortie.kind k WHERE k.kind_id = p_kind
		AND (p_owner IS NULL OR k.owner_id = p_owner)
		AND (p_projects = '{}' OR k.project_id = ANY (p_projects)))
$$;

-- The state of a job now; NULL when there is no such job.
CREATE FUNCTION sortie.job_state_1(p_number bigint) RETURNS sortie.job_state
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
CREATE FUNCTION sortie.jobs_lock_1(p_owner int, p_projects int[],
	p_numbers bigint[]) RETURNS bigint[]
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_pilots bigint[];
BEGIN
	SELECT coalesce(array_agg(DISTINCT l.pilot), '{}') INTO v_pilots
	FROM sortie.live l
	WHERE l.number = ANY (p_numbers)
		AND sortie.may_touch_1(l.kind_id, p_owner, p_projects);
	IF v_pilots <> '{}' THEN
		PERFORM 1 FROM sortie.pilot_room p
		WHERE p.pilot = ANY (v_pilots) ORDER BY p.pilot
		FOR NO KEY UPDATE;
	END IF;
	PERFORM 1 FROM sortie.queue q
	WHERE q.number = ANY (p_numbers)
		AND sortie.may_touch_1(q.kind_id, p_owner, p_projects)
	ORDER BY q.place, q.turn, q.number FOR UPDATE;
	RETURN v_pilots;
END $$;

-- The pilot of a job's live run, NULL when there is none; p_pilots: those that
-- are locked. A run that was granted since has another one, which is out of
-- order now: 55P03 when somebody has it.
CREATE FUNCTION sortie.live_pilot_1(p_number bigint, p_pilots bigint[])
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
CREATE FUNCTION sortie.job_moves_1(p_number bigint, p_tries int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF p_tries >= 10 THEN
		RAISE EXCEPTION 'job % does not stand still', p_number
			USING ERRCODE = '40001';
	END IF;
END $$;

-- Cancels jobs. Queued and waiting ones end at once; live runs get an order
-- and the job ends with the run (woken: the pilots in `pilot`).
CREATE FUNCTION sortie.job_cancel_1(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[], p_delete bool)
RETURNS TABLE (number bigint, code text, message text, pilot bigint)
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
	v_doomed bigint[] := '{}';
	v_tries int;
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	v_pilots := sortie.jobs_lock_1(p_owner, p_projects, p_numbers);
	FOR v IN SELECT DISTINCT n, j.kind_id
		FROM unnest(p_numbers) AS n
		LEFT JOIN sortie.job j ON j.number = n
			AND sortie.may_touch_1(j.kind_id, p_owner, p_projects)
		ORDER BY n
	LOOP
		number := v.n; code := NULL; message := NULL; pilot := NULL;
		v_state := NULL;
		v_tries := 0;
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
				'cancelled');
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
	IF cardinality(v_left) > 0 THEN
		PERFORM sortie.settle_1(p_bucket, v_left, NULL, NULL, NULL);
	END IF;
END $$;

-- Deletes ended jobs; others are refused (cancel them with it: job_cancel_1).
CREATE FUNCTION sortie.job_delete_1(p_bucket int, p_owner int,
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
	FOR v IN SELECT DISTINCT n, j.kind_id
		FROM unnest(p_numbers) AS n
		LEFT JOIN sortie.job j ON j.number = n
			AND sortie.may_touch_1(j.kind_id, p_owner, p_projects)
		ORDER BY n
	LOOP
		number := v.n; code := NULL; message := NULL;
		v_state := sortie.job_state_1(v.n);
		IF v_state >= 'finished' AND v.kind_id IS NOT NULL THEN
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
		END IF;
		RETURN NEXT;
	END LOOP;
	IF cardinality(v_doomed) > 0 THEN
		PERFORM sortie.jobs_forget_1(p_bucket, v_doomed);
		INSERT INTO sortie.event (kind, owner_id, text, detail)
		VALUES ('deleted', p_owner, cardinality(v_doomed) || ' jobs',
			to_json(v_doomed));
	END IF;
END $$;

-- Holds waiting and queued jobs.
CREATE FUNCTION sortie.job_hold_1(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[])
RETURNS TABLE (number bigint, code text, message text, pilot bigint)
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
	IF cardinality(v_left) > 0 THEN
		PERFORM sortie.settle_1(p_bucket, v_left, NULL, NULL, NULL);
	END IF;
END $$;

-- Releases held jobs.
CREATE FUNCTION sortie.job_release_1(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[])
RETURNS TABLE (number bigint, code text, message text, pilot bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	v record;
	w sortie.waiting;
	v_all sortie.waiting[] := '{}';
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
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
			RETURNING * INTO w;
			IF FOUND THEN
				v_all := v_all || w;
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
	IF cardinality(v_all) > 0 THEN
		PERFORM sortie.tally_add_1(p_bucket, array_agg(u.kind_id),
			array_agg('held'::sortie.job_state),
			array_agg(-1::bigint))
		FROM unnest(v_all) AS u;
		PERFORM sortie.line_up_1(p_bucket, array_agg(u.class_id),
			array_agg(u.place), array_agg(u.number),
			array_agg(u.attempt), array_agg(u.kind_id))
		FROM unnest(v_all) AS u;
	END IF;
END $$;

-- Jobs whose time has come get into line, and those that stand before a gate
-- with room: whoever ended the one before may have met them locked. A duty, at
-- most p_max due ones at once. Returns how many.
CREATE FUNCTION sortie.due_1(p_bucket int, p_max int) RETURNS int
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_n int; v_class int[]; v_place int[]; v_number bigint[];
	v_attempt smallint[]; v_kind int[];
	v record;
BEGIN
	WITH d AS (
		DELETE FROM sortie.waiting WHERE number IN (
			SELECT number FROM sortie.waiting
			WHERE why = 'time' AND due <= now()
			ORDER BY due LIMIT p_max FOR UPDATE SKIP LOCKED)
		RETURNING class_id, place, number, attempt, kind_id)
	SELECT count(*), array_agg(class_id), array_agg(place),
		array_agg(number), array_agg(attempt), array_agg(kind_id)
	INTO v_n, v_class, v_place, v_number, v_attempt, v_kind FROM d;
	IF v_n > 0 THEN
		PERFORM sortie.tally_add_1(p_bucket, v_kind,
			array_fill('waiting'::sortie.job_state, ARRAY[v_n]),
			array_fill(-1::bigint, ARRAY[v_n]));
		PERFORM sortie.line_up_1(p_bucket, v_class, v_place, v_number,
			v_attempt, v_kind);
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

-- Tries ended jobs again: all but finished ones, these too with p_force.
CREATE FUNCTION sortie.job_retry_1(p_bucket int, p_owner int,
	p_projects int[], p_numbers bigint[], p_force bool)
RETURNS TABLE (number bigint, code text, message text, pilot bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	v record;
	e sortie.ended;
	v_class int[] := '{}'; v_place int[] := '{}'; v_number bigint[] := '{}';
	v_attempt smallint[] := '{}'; v_kind int[] := '{}';
	v_states sortie.job_state[] := '{}';
	v_last smallint;
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	-- Classes may have gone to sleep since.
	PERFORM sortie.classes_wake_1(array_agg(j.class_id))
	FROM sortie.job j WHERE j.number = ANY (p_numbers)
		AND sortie.may_touch_1(j.kind_id, p_owner, p_projects);
	FOR v IN SELECT DISTINCT n, j.kind_id, j.class_id, j.priority
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
		SELECT coalesce(max(r.attempt), 0) INTO v_last
		FROM sortie.run r WHERE r.number = v.n;
		DELETE FROM sortie.ended x WHERE x.number = v.n
			AND (p_force OR x.state <> 'finished')
			AND v_last < 32767
		RETURNING * INTO e;
		IF FOUND THEN
			-- Its retries and losses are counted anew.
			UPDATE sortie.job j SET retried_at = v_last
			WHERE j.number = v.n AND j.retried_at <> v_last;
			v_class := v_class || v.class_id;
			v_place := v_place || ~v.priority;
			v_number := v_number || v.n;
			v_attempt := v_attempt || (v_last + 1)::smallint;
			v_kind := v_kind || v.kind_id;
			v_states := v_states || e.state;
			INSERT INTO sortie.event (kind, job, text)
			VALUES ('retried', v.n, 'was ' || e.state);
		ELSE
			code := 'conflict';
			message := CASE WHEN v_last = 32767 THEN 'job ' || v.n
				|| ' has been tried ' || v_last || ' times'
				ELSE 'job ' || v.n || ' is '
				|| coalesce(sortie.job_state_1(v.n)::text,
					'deleted')
				|| CASE WHEN sortie.job_state_1(v.n)
					= 'finished' AND NOT p_force
				THEN ': retry it with --force' ELSE
				': only ended jobs can be tried again' END
				END;
		END IF;
		RETURN NEXT;
	END LOOP;
	IF cardinality(v_number) > 0 THEN
		PERFORM sortie.tally_add_1(p_bucket, v_kind, v_states,
			array_fill(-1::bigint,
				ARRAY[cardinality(v_number)]));
		PERFORM sortie.line_up_1(p_bucket, v_class, v_place, v_number,
			v_attempt, v_kind);
	END IF;
END $$;

-- A time limit rounded up to an eighth of a power of two, as classes count it
-- (classes_life in server/classes.c is the same).
CREATE FUNCTION sortie.life_1(p_timeout_s bigint) RETURNS bigint
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
CREATE FUNCTION sortie.job_adjust_1(p_bucket int, p_owner int,
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

-- Orders for pilots: drain, or kill (their runs end as lost, reason "pilot
-- killed", their jobs run again, and the pilot is told to stop). p_pilots:
-- numbers, already chosen. Returns a row per pilot.
CREATE FUNCTION sortie.pilot_order_1(p_bucket int, p_loss_budget int,
	p_owner int, p_pilots bigint[], p_kill bool)
RETURNS TABLE (pilot bigint, code text, message text)
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
		SELECT * INTO e FROM sortie.runs_lose_1(p_bucket,
			p_loss_budget, v_done, 'pilot killed', false);
		UPDATE sortie.pilot p
		SET end_state = 'killed', ended_at = now(),
			end_reason = 'killed'
		WHERE p.pilot = ANY (v_done) AND p.end_state IS NULL;
		PERFORM sortie.settle_1(p_bucket, e.o_left, NULL, e.o_freed,
			NULL);
	END IF;
END $$;

-- Sets a limit's capacity (NULL: none), making it when it is new. A new limit
-- "jobtype:NAME" binds the queued and live jobs of that type: their classes
-- get it, and used is counted while no grant and no end can come between.
CREATE FUNCTION sortie.limit_set_1(p_name text, p_capacity int)
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
CREATE FUNCTION sortie.limit_delete_1(p_name text) RETURNS bool
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
CREATE FUNCTION sortie.project_set_1(p_bucket int, p_name text, p_max int,
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
	SELECT p_name, l.turn FROM sortie.lane l
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

-- Puts classes to sleep that nothing refers to and nobody used for an hour,
-- and forgets profiles without pilots. A duty; returns how many it changed.
CREATE FUNCTION sortie.class_sleep_1(p_max int) RETURNS int
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
		WHERE NOT EXISTS (SELECT 1 FROM sortie.queue q
			WHERE q.class_id = r.class_id)
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
