-- Submissions.

-- Items of one or more requests become jobs. Arrays of items run parallel:
--     i_req         1-based index of the request the item belongs to
--     i_project     index into p_project
--     i_off         jobs of the batch before this item
--     i_turn        queueable jobs of the same project before it
--     i_replicas    how many jobs it makes; above 1 they get idx 0, 1, ...
--     i_held        not to be run yet
--     i_due         not before (NULL = at once)
--     i_tags        JSON object or NULL; i_sends: "hex,hex" or NULL
-- p_project, p_queueable: the projects and how many queueable jobs each gets.
-- p_high, p_low: time and salt of the UUIDs (lib/id.h). p_first: the number of
-- the first job; the others follow.
-- Returns a row for each request: its first number and count.
-- SO003: too many classes would be queued. SO004: an unknown file (detail).
CREATE OR REPLACE FUNCTION sortie.submit_2(p_bucket int, p_high bigint, p_low bigint,
	p_first bigint, p_project int[], p_queueable bigint[],
	r_owner int[], r_count bigint[],
	i_req int[], i_project int[], i_off bigint[], i_turn bigint[],
	i_replicas int[], i_class int[], i_kind int[], i_priority int[],
	i_held bool[], i_due timestamptz[], i_name text[],
	i_definition text[], i_tags text[], i_sends text[])
RETURNS TABLE (req int, first bigint, n bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_first bigint := p_first;
	v_base bigint[] := '{}';
	v_gated bool[] := '{}';
	v_turn_1 bigint;
	v_gate bool;
	v_any_gated bool := false;
	v_any_wait bool;
	v_now timestamptz := clock_timestamp();
	v_class int[]; v_place int[]; v_turn bigint[]; v_number bigint[];
	v_attempt smallint[]; v_kind int[];
	v_new int;
	v_missing text;
	v_firsts bigint[] := ARRAY[p_first]; -- the first number of each request
	v record;
BEGIN
	FOR i IN 1 .. cardinality(r_count) LOOP
		v_firsts[i + 1] := v_firsts[i] + r_count[i];
	END LOOP;
	-- Projects in order of id: their rows are locked until the end.
	FOR v IN
		SELECT u.ord, u.project_id, u.n
		FROM unnest(p_project, p_queueable) WITH ORDINALITY
			AS u(project_id, n, ord)
		ORDER BY u.project_id
	LOOP
		UPDATE sortie.project p
		SET turn = greatest((SELECT l.last_value
				FROM sortie.lane_turn l),
			p.turn + 1) + v.n - 1
		WHERE p.project_id = v.project_id
		RETURNING p.turn - v.n + 1, p.max_running IS NOT NULL
		INTO v_turn_1, v_gate;
		v_base[v.ord] := v_turn_1;
		v_gated[v.ord] := v_gate;
		v_any_gated := v_any_gated OR v_gate;
	END LOOP;
	v_any_wait := v_any_gated OR true = ANY (i_held)
		OR array_remove(i_due, NULL) <> '{}';

	INSERT INTO sortie.job (number, id, kind_id, class_id, priority, idx,
		submitted_at, name, definition, bytes)
	SELECT v_first + i.off + k, encode(int8send(p_high)
			|| int8send(p_low | ((v_first + i.off + k) << 18)),
			'hex')::uuid,
		i.kind_id, i.class_id, i.priority,
		CASE WHEN i.replicas > 1 THEN k END, v_now, i.name,
		i.definition, octet_length(i.definition)
	FROM unnest(i_off, i_replicas, i_class, i_kind, i_priority, i_name,
		i_definition)
		AS i(off, replicas, class_id, kind_id, priority, name,
			definition),
		generate_series(0, i.replicas - 1) AS k;
	PERFORM sortie.stored_add_1('j', array_agg(r_owner[i.req]),
		array_agg(i.replicas * octet_length(i.definition)::bigint))
	FROM unnest(i_req, i_replicas, i_definition)
		AS i(req, replicas, definition);

	IF v_any_wait THEN
		PERFORM sortie.classes_keep_1((SELECT array_agg(DISTINCT c)
			FROM unnest(i_class) AS c));
		INSERT INTO sortie.waiting (number, why, due, class_id,
			kind_id, project_id, place, turn, attempt)
		SELECT v_first + i.off + k,
			CASE WHEN i.held THEN 'held'
				WHEN i.due IS NOT NULL THEN 'time'
				ELSE 'gate' END,
			CASE WHEN NOT i.held THEN i.due END,
			i.class_id, i.kind_id, p_project[i.project],
			~i.priority, v_base[i.project] + i.turn + k, 1
		FROM unnest(i_off, i_turn, i_project, i_replicas, i_class,
			i_kind, i_priority, i_held, i_due)
			AS i(off, turn, project, replicas, class_id, kind_id,
				priority, held, due),
			generate_series(0, i.replicas - 1) AS k
		WHERE i.held OR i.due IS NOT NULL OR v_gated[i.project];
		PERFORM sortie.tally_add_1(p_bucket,
			array_agg(i.kind_id), array_agg(CASE WHEN i.held
				THEN 'held' ELSE 'waiting' END
				::sortie.job_state),
			array_agg(i.replicas::bigint))
		FROM unnest(i_project, i_replicas, i_kind, i_held, i_due)
			AS i(project, replicas, kind_id, held, due)
		WHERE i.held OR i.due IS NOT NULL OR v_gated[i.project];
	END IF;

	SELECT array_agg(i.class_id), array_agg(~i.priority),
		array_agg(v_base[i.project] + i.turn + k),
		array_agg(v_first + i.off + k), array_agg(1::smallint),
		array_agg(i.kind_id)
	INTO v_class, v_place, v_turn, v_number, v_attempt, v_kind
	FROM unnest(i_off, i_turn, i_project, i_replicas, i_class, i_kind,
		i_priority, i_held, i_due)
		AS i(off, turn, project, replicas, class_id, kind_id, priority,
			held, due),
		generate_series(0, i.replicas - 1) AS k
	WHERE NOT v_any_wait
		OR NOT (i.held OR i.due IS NOT NULL OR v_gated[i.project]);
	IF v_class IS NOT NULL THEN
		v_new := sortie.queue_put_1(v_class, v_place, v_turn, v_number,
			v_attempt, v_kind);
		-- Marks of classes that nobody has found empty yet do not
		-- count.
		IF v_new > 0 AND (SELECT count(*) FROM sortie.class_ready)
			> 4000
		AND (SELECT count(DISTINCT r.class_id)
			FROM sortie.class_ready r
			WHERE EXISTS (SELECT 1
				FROM sortie.queue_head_1(r.class_id))) > 4000 THEN
			RAISE EXCEPTION 'more than 4000 different combinations of requirements would be queued'
				USING ERRCODE = 'SO003';
		END IF;
		PERFORM sortie.tally_add_1(p_bucket, v_kind, array_fill(
			'defined'::sortie.job_state,
			ARRAY[cardinality(v_kind)]),
			array_fill(1::bigint, ARRAY[cardinality(v_kind)]));
	END IF;

	IF array_remove(i_tags, NULL) <> '{}' THEN
		INSERT INTO sortie.job_tag (name, value, number)
		SELECT t.key, t.value, v_first + i.off + k
		FROM unnest(i_off, i_replicas, i_tags)
			AS i(off, replicas, tags),
			generate_series(0, i.replicas - 1) AS k,
			json_each_text(i.tags::json) AS t
		WHERE i.tags IS NOT NULL;
	END IF;
	IF array_remove(i_sends, NULL) <> '{}' THEN
		SELECT h INTO v_missing
		FROM unnest(i_sends) AS s, string_to_table(s, ',') AS h
		WHERE NOT EXISTS (SELECT 1 FROM sortie.blob b
			WHERE b.sha256 = decode(h, 'hex'))
		LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'the file % was never put here', v_missing
				USING ERRCODE = 'SO004', DETAIL = v_missing;
		END IF;
		INSERT INTO sortie.blob_use (sha256, number)
		SELECT DISTINCT decode(h, 'hex'), v_first + i.off + k
		FROM unnest(i_off, i_replicas, i_sends)
			AS i(off, replicas, sends),
			generate_series(0, i.replicas - 1) AS k,
			string_to_table(i.sends, ',') AS h
		WHERE i.sends IS NOT NULL;
	END IF;

	PERFORM sortie.tally_minute_add_1(p_bucket, i_kind, array_fill(
		'submitted'::text, ARRAY[cardinality(i_kind)]),
		i_replicas::bigint[]);
	INSERT INTO sortie.event (kind, owner_id, job, detail)
	SELECT 'submitted', r.owner_id, r.first, json_build_object('count', r.n)
	FROM unnest(r_owner, v_firsts, r_count) AS r(owner_id, first, n)
	WHERE r.n > 0;

	IF v_any_gated THEN
		FOR v IN SELECT u.project_id
			FROM unnest(p_project, v_gated) AS u(project_id, gated)
			WHERE u.gated ORDER BY u.project_id
		LOOP
			PERFORM sortie.gate_open_1(p_bucket, v.project_id);
		END LOOP;
	END IF;

	FOR i IN 1 .. cardinality(r_count) LOOP
		req := i; first := v_firsts[i]; n := r_count[i];
		RETURN NEXT;
	END LOOP;
END $$;

-- The same of p_total jobs, whose numbers it takes itself. SO030, SO031: too
-- many jobs of an owner, or too many bytes, which the caller of submit_2 looks
-- at.
CREATE OR REPLACE FUNCTION sortie.submit_1(p_bucket int, p_high bigint, p_low bigint,
	p_total bigint, p_project int[], p_queueable bigint[],
	r_owner int[], r_count bigint[],
	i_req int[], i_project int[], i_off bigint[], i_turn bigint[],
	i_replicas int[], i_class int[], i_kind int[], i_priority int[],
	i_held bool[], i_due timestamptz[], i_name text[],
	i_definition text[], i_tags text[], i_sends text[])
RETURNS TABLE (req int, first bigint, n bigint)
LANGUAGE plpgsql AS $$
BEGIN
	-- Numbers are not for those who may have no more jobs.
	PERFORM sortie.owner_room_2(r_owner, r_count, i_req, i_replicas,
		i_definition);
	RETURN QUERY SELECT s.req, s.first, s.n
	FROM sortie.submit_2(p_bucket, p_high, p_low,
		sortie.job_numbers_1(p_total), p_project, p_queueable, r_owner,
		r_count, i_req, i_project, i_off, i_turn, i_replicas, i_class,
		i_kind, i_priority, i_held, i_due, i_name, i_definition,
		i_tags, i_sends) AS s;
END $$;

-- Makes all staged parts real, in one commit. SO010: a part is missing
-- (detail: its number). The answer as for submit_keyed_1.
CREATE OR REPLACE FUNCTION sortie.submission_commit_1(p_submission uuid, p_parts int,
	p_key text, p_hash bytea, p_bucket int, p_high bigint, p_low bigint,
	p_owner int)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
	v_part int;
	v_projects int[];
	v_answer json;
	v_hash bytea;
BEGIN
	IF p_key IS NOT NULL THEN
		PERFORM pg_advisory_xact_lock(7003,
			hashtext(p_owner || ' ' || p_key));
		SELECT body_hash, answer INTO v_hash, v_answer
		FROM sortie.idempotency
		WHERE owner_id = p_owner AND key = p_key;
		IF FOUND AND v_hash = p_hash THEN
			RETURN v_answer;
		ELSIF FOUND THEN
			RAISE EXCEPTION 'the Idempotency-Key was used with another body'
				USING ERRCODE = 'SO006';
		END IF;
	END IF;
	PERFORM 1 FROM sortie.submission
	WHERE submission_id = p_submission AND owner_id = p_owner
	FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no open submission %', p_submission
			USING ERRCODE = 'SO011';
	END IF;
	SELECT g INTO v_part FROM generate_series(1, p_parts) AS g
	WHERE NOT EXISTS (SELECT 1 FROM sortie.staged s
		WHERE s.submission_id = p_submission AND s.part = g)
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'part % of the submission is missing', v_part
			USING ERRCODE = 'SO010', DETAIL = v_part;
	END IF;
	-- Parts may have waited for longer than their classes stay awake.
	PERFORM sortie.classes_wake_1(array_agg(DISTINCT s.class_id))
	FROM sortie.staged s WHERE s.submission_id = p_submission
		AND s.part <= p_parts;
	SELECT array_agg(DISTINCT s.project_id) INTO v_projects
	FROM sortie.staged s WHERE s.submission_id = p_submission
		AND s.part <= p_parts;
	-- Its parts do not count beside the jobs that they become.
	DELETE FROM sortie.submission WHERE submission_id = p_submission;
	-- One sort; an ORDER BY in each aggregate would be thirteen.
	SELECT sortie.submit_keyed_1(NULL, NULL, p_bucket, p_high, p_low,
		p_owner, v_projects, array_agg(s.project),
		array_agg(s.replicas), array_agg(s.class_id),
		array_agg(s.kind_id), array_agg(s.priority),
		array_agg(s.held), array_agg(s.due), array_agg(s.name),
		array_agg(s.definition), array_agg(s.tags),
		array_agg(s.sends), array_agg(s.key))
	INTO v_answer
	FROM (SELECT array_position(v_projects, s.project_id) AS project,
			s.replicas, s.class_id, s.kind_id, s.priority, s.held,
			s.due, s.name, s.definition, s.tags::text AS tags,
			(SELECT string_agg(encode(h, 'hex'), ',')
				FROM unnest(s.sends) AS h) AS sends, s.key
		FROM sortie.staged s
		WHERE s.submission_id = p_submission AND s.part <= p_parts
		ORDER BY s.part, s.item) AS s;
	IF p_key IS NOT NULL THEN
		PERFORM sortie.idempotency_keep_1(p_owner, p_key, p_hash,
			v_answer);
	END IF;
	DELETE FROM sortie.staged WHERE submission_id = p_submission;
	RETURN v_answer;
END $$;
