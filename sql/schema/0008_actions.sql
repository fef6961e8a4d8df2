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
	v_pilot bigint;
	v_kind int;
	v_state sortie.job_state;
	v_queued bool;
	v_kinds int[] := '{}'; v_left int[] := '{}';
	v_states sortie.job_state[] := '{}';
	v_pilots bigint[];
	v_doomed bigint[] := '{}';
BEGIN
	-- Pilots of live runs first (the order of locks), for their notice.
	SELECT array_agg(DISTINCT l.pilot) INTO v_pilots
	FROM sortie.live l
	WHERE l.number = ANY (p_numbers)
		AND sortie.may_touch_1(l.kind_id, p_owner, p_projects);
	IF v_pilots IS NOT NULL THEN
		PERFORM 1 FROM sortie.pilot_room p
		WHERE p.pilot = ANY (v_pilots) ORDER BY p.pilot
		FOR NO KEY UPDATE;
		UPDATE sortie.pilot_room p SET notice = true
		WHERE p.pilot = ANY (v_pilots) AND NOT p.notice;
	END IF;
	FOR v IN SELECT DISTINCT n FROM unnest(p_numbers) AS n ORDER BY n LOOP
		number := v.n; code := NULL; message := NULL; pilot := NULL;
		SELECT j.kind_id INTO v_kind FROM sortie.job j
		WHERE j.number = v.n
			AND sortie.may_touch_1(j.kind_id, p_owner, p_projects);
		IF NOT FOUND THEN
			code := 'not_found';
			message := 'there is no job ' || v.n;
			RETURN NEXT;
			CONTINUE;
		END IF;
		UPDATE sortie.live l SET cancelling = true,
			cancel_at = coalesce(l.cancel_at, now()),
			deleting = l.deleting OR p_delete
		WHERE l.number = v.n
		RETURNING l.pilot INTO v_pilot;
		IF FOUND THEN
			pilot := v_pilot;
			INSERT INTO sortie.event (kind, job, pilot)
			VALUES ('cancel asked', v.n, v_pilot);
			IF NOT v_pilot = ANY (coalesce(v_pilots, '{}')) THEN
				UPDATE sortie.pilot_room p SET notice = true
				WHERE p.pilot = v_pilot AND NOT p.notice;
			END IF;
			RETURN NEXT;
			CONTINUE;
		END IF;
		DELETE FROM sortie.queue q WHERE q.number = v.n;
		v_queued := FOUND;
		IF v_queued THEN
			v_state := 'defined';
		ELSE
			DELETE FROM sortie.waiting w WHERE w.number = v.n
			RETURNING CASE w.why WHEN 'held' THEN 'held'
				ELSE 'waiting' END INTO v_state;
			IF NOT FOUND THEN
				-- Granted while we looked, or ended.
				UPDATE sortie.live l SET cancelling = true,
					cancel_at = now(),
					deleting = p_delete
				WHERE l.number = v.n
				RETURNING l.pilot INTO v_pilot;
				IF FOUND THEN
					pilot := v_pilot;
					UPDATE sortie.pilot_room p
					SET notice = true
					WHERE p.pilot = v_pilot;
				ELSIF p_delete THEN
					v_doomed := v_doomed || v.n;
				ELSE
					code := 'conflict';
					message := 'job ' || v.n
						|| ' has ended ('
						|| sortie.job_state_1(v.n)
						|| ')';
				END IF;
				RETURN NEXT;
				CONTINUE;
			END IF;
		END IF;
		INSERT INTO sortie.ended (number, kind_id, state, ended_at,
			reason)
		VALUES (v.n, v_kind, 'cancelled', now(), 'cancelled');
		v_kinds := v_kinds || v_kind;
		v_states := v_states || v_state;
		IF v_queued THEN
			v_left := v_left || v_kind;
		END IF;
		INSERT INTO sortie.event (kind, job) VALUES ('cancelled', v.n);
		IF p_delete THEN
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
		PERFORM sortie.gate_leave_1(p_bucket, v_left);
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
	v_doomed bigint[] := '{}';
BEGIN
	FOR v IN SELECT DISTINCT n, e.number AS done, j.number AS job
		FROM unnest(p_numbers) AS n
		LEFT JOIN sortie.job j ON j.number = n
			AND sortie.may_touch_1(j.kind_id, p_owner, p_projects)
		LEFT JOIN sortie.ended e ON e.number = j.number
		ORDER BY n
	LOOP
		number := v.n; code := NULL; message := NULL;
		IF v.job IS NULL THEN
			code := 'not_found';
			message := 'there is no job ' || v.n;
		ELSIF v.done IS NULL THEN
			code := 'conflict';
			message := 'job ' || v.n || ' is '
				|| sortie.job_state_1(v.n)
				|| ': cancel it first, or delete it with --cancel';
		ELSE
			v_doomed := v_doomed || v.n;
		END IF;
		RETURN NEXT;
	END LOOP;
	IF cardinality(v_doomed) > 0 THEN
		PERFORM 1 FROM sortie.ended e WHERE e.number = ANY (v_doomed)
		ORDER BY e.number FOR UPDATE;
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
BEGIN
	FOR v IN SELECT DISTINCT n, j.kind_id, k.project_id
		FROM unnest(p_numbers) AS n
		LEFT JOIN sortie.job j ON j.number = n
			AND sortie.may_touch_1(j.kind_id, p_owner, p_projects)
		LEFT JOIN sortie.kind k ON k.kind_id = j.kind_id
		ORDER BY n
	LOOP
		number := v.n; code := NULL; message := NULL;
		IF v.kind_id IS NULL THEN
			code := 'not_found';
			message := 'there is no job ' || v.n;
			RETURN NEXT;
			CONTINUE;
		END IF;
		DELETE FROM sortie.queue u WHERE u.number = v.n
		RETURNING * INTO q;
		IF FOUND THEN
			INSERT INTO sortie.waiting (number, why, class_id,
				kind_id, project_id, place, turn, attempt)
			VALUES (v.n, 'held', q.class_id, q.kind_id,
				v.project_id, q.place, q.turn, q.attempt);
			v_states := v_states || 'defined'::sortie.job_state;
			v_kinds := v_kinds || v.kind_id;
			v_left := v_left || v.kind_id;
		ELSE
			UPDATE sortie.waiting w SET why = 'held', due = NULL
			WHERE w.number = v.n AND w.why <> 'held';
			IF FOUND THEN
				v_states := v_states
					|| 'waiting'::sortie.job_state;
				v_kinds := v_kinds || v.kind_id;
			ELSE
				v_state := sortie.job_state_1(v.n);
				IF v_state <> 'held' THEN
					code := 'conflict';
					message := 'job ' || v.n || ' is '
						|| v_state || ': only waiting and defined jobs can be held';
				END IF;
				RETURN NEXT;
				CONTINUE;
			END IF;
		END IF;
		INSERT INTO sortie.event (kind, job) VALUES ('held', v.n);
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
		PERFORM sortie.gate_leave_1(p_bucket, v_left);
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
					|| sortie.job_state_1(v.n)
					|| ', not held';
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

-- Jobs whose time has come get into line: a duty, at most p_max at once.
-- Returns how many.
CREATE FUNCTION sortie.due_1(p_bucket int, p_max int) RETURNS int
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_n int; v_class int[]; v_place int[]; v_number bigint[];
	v_attempt smallint[]; v_kind int[];
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
	v_asleep int[];
BEGIN
	-- Classes may have gone to sleep since; before any lock of rows.
	SELECT array_agg(DISTINCT c.class_id) INTO v_asleep
	FROM sortie.job j JOIN sortie.class c ON c.class_id = j.class_id
	WHERE j.number = ANY (p_numbers) AND NOT c.active;
	IF v_asleep IS NOT NULL THEN
		PERFORM pg_advisory_xact_lock(7004);
		PERFORM sortie.class_fit_1(v_asleep);
	END IF;
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
		DELETE FROM sortie.ended x WHERE x.number = v.n
			AND (p_force OR x.state <> 'finished')
		RETURNING * INTO e;
		IF FOUND THEN
			v_class := v_class || v.class_id;
			v_place := v_place || ~v.priority;
			v_number := v_number || v.n;
			v_attempt := v_attempt || (SELECT coalesce(
				max(r.attempt), 0) + 1 FROM sortie.run r
				WHERE r.number = v.n)::smallint;
			v_kind := v_kind || v.kind_id;
			v_states := v_states || e.state;
			INSERT INTO sortie.event (kind, job, text)
			VALUES ('retried', v.n, 'was ' || e.state);
		ELSE
			code := 'conflict';
			message := 'job ' || v.n || ' is '
				|| sortie.job_state_1(v.n)
				|| CASE WHEN sortie.job_state_1(v.n)
					= 'finished'
				THEN ': retry it with --force' ELSE
				': only ended jobs can be tried again' END;
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

-- Changes of jobs by hand. p_set: priority, timeout, retries, name, comment,
-- description (checked by the server). A new class for a new timeout is made
-- by the server beforehand (p_class, NULL = as before). Ended jobs are refused.
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
BEGIN
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
		PERFORM 1 FROM sortie.live l WHERE l.number = v.n FOR UPDATE;
		v_state := sortie.job_state_1(v.n);
		IF v_state >= 'finished' THEN
			code := 'conflict';
			message := 'job ' || v.n || ' has ended (' || v_state
				|| ')';
			RETURN NEXT;
			CONTINUE;
		END IF;
		IF v_place IS NOT NULL THEN
			UPDATE sortie.queue q SET place = v_place
			WHERE q.number = v.n AND q.place <> v_place;
			UPDATE sortie.waiting w SET place = v_place
			WHERE w.number = v.n;
			UPDATE sortie.live l SET place = v_place
			WHERE l.number = v.n;
		END IF;
		UPDATE sortie.job j
		SET priority = coalesce(~v_place, j.priority),
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
BEGIN
	FOR v IN SELECT n, r.pilot AS room, p.pilot AS known, p.end_state
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
			UPDATE sortie.pilot_room r SET notice = true,
				pilot_order = CASE WHEN p_kill THEN 'stop'
					ELSE coalesce(r.pilot_order, 'drain')
					END
			WHERE r.pilot = v.n;
			IF p_kill THEN
				PERFORM sortie.runs_lose_1(p_bucket,
					p_loss_budget, v.n, 'pilot killed',
					false);
				UPDATE sortie.pilot p
				SET end_state = 'killed', ended_at = now(),
					end_reason = 'killed'
				WHERE p.pilot = v.n;
			END IF;
			INSERT INTO sortie.event (kind, owner_id, pilot)
			VALUES (CASE WHEN p_kill THEN 'pilot kill'
				ELSE 'pilot drain' END, p_owner, v.n);
		END IF;
		RETURN NEXT;
	END LOOP;
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
BEGIN
	PERFORM pg_advisory_xact_lock(7000);
	PERFORM pg_advisory_xact_lock(7004);
	LOCK TABLE sortie.live IN SHARE ROW EXCLUSIVE MODE;
	SELECT limit_id INTO v_id FROM sortie.lim WHERE name = p_name;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	IF p_name NOT LIKE 'jobtype:%' AND EXISTS (
		SELECT 1 FROM sortie.class c WHERE v_id = ANY (c.limit_ids)
		AND (EXISTS (SELECT 1 FROM sortie.queue q
				WHERE q.class_id = c.class_id)
			OR EXISTS (SELECT 1 FROM sortie.live l
				WHERE l.class_id = c.class_id)
			OR EXISTS (SELECT 1 FROM sortie.waiting w
				WHERE w.class_id = c.class_id))) THEN
		RETURN false;
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
