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
-- p_high, p_low: time and salt of the UUIDs (lib/id.h).
-- Returns a row for each request: its first number and count.
-- SO003: too many classes would be queued. SO004: an unknown file (detail).
-- SO030: too many jobs of an owner.
CREATE OR REPLACE FUNCTION sortie.submit_1(p_bucket int, p_high bigint, p_low bigint,
	p_total bigint, p_project int[], p_queueable bigint[],
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
	v_first bigint;
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
	v record;
BEGIN
	PERFORM sortie.owner_room_1(r_owner, r_count);
	-- Projects in order of id: their rows are locked until the end.
	FOR v IN
		SELECT u.ord, u.project_id, u.n
		FROM unnest(p_project, p_queueable) WITH ORDINALITY
			AS u(project_id, n, ord)
		ORDER BY u.project_id
	LOOP
		UPDATE sortie.project p
		SET turn = greatest((SELECT l.turn FROM sortie.lane l),
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
	v_first := sortie.job_numbers_1(p_total);

	INSERT INTO sortie.job (number, id, kind_id, class_id, priority, idx,
		submitted_at, name, definition)
	SELECT v_first + i.off + k, encode(int8send(p_high)
			|| int8send(p_low | ((v_first + i.off + k) << 18)),
			'hex')::uuid,
		i.kind_id, i.class_id, i.priority,
		CASE WHEN i.replicas > 1 THEN k END, v_now, i.name,
		i.definition
	FROM unnest(i_off, i_replicas, i_class, i_kind, i_priority, i_name,
		i_definition)
		AS i(off, replicas, class_id, kind_id, priority, name,
			definition),
		generate_series(0, i.replicas - 1) AS k;

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
			WHERE EXISTS (SELECT 1 FROM sortie.queue q
				WHERE q.class_id = r.class_id)) > 4000 THEN
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
	SELECT 'submitted', u.owner_id, v_first + u.before,
		json_build_object('count', u.c)
	FROM (SELECT r.owner_id, r.c, sum(r.c) OVER (ORDER BY r.ord)
			- r.c AS before
		FROM unnest(r_owner, r_count) WITH ORDINALITY
			AS r(owner_id, c, ord)) AS u
	WHERE u.c > 0;

	IF v_any_gated THEN
		FOR v IN SELECT u.project_id
			FROM unnest(p_project, v_gated) AS u(project_id, gated)
			WHERE u.gated ORDER BY u.project_id
		LOOP
			PERFORM sortie.gate_open_1(p_bucket, v.project_id);
		END LOOP;
	END IF;

	RETURN QUERY
	SELECT u.ord::int, v_first + u.before, u.c
	FROM (SELECT r.ord, r.c, (sum(r.c) OVER (ORDER BY r.ord)
			- r.c)::bigint AS before
		FROM unnest(r_count) WITH ORDINALITY AS r(c, ord)) AS u;
END $$;

-- One request that carries an Idempotency-Key or jobs with keys; the other
-- parameters are as above with every item of request 1.
--     p_key, p_hash   Idempotency-Key and SHA-256 of the body, or NULL
--     i_key           the job's key or NULL; such an item has replicas 1
-- Returns the answer as JSON: {"count","first","high","low","numbers":[[number,
-- created], ...]} (numbers only when some job has a key).
-- SO005: a key exists with another definition (detail: JSON with key, job,
-- differs). SO006: the Idempotency-Key was used with another body.
CREATE OR REPLACE FUNCTION sortie.submit_keyed_1(p_key text, p_hash bytea,
	p_bucket int, p_high bigint, p_low bigint, r_owner int,
	p_project int[],
	i_project int[], i_replicas int[], i_class int[], i_kind int[],
	i_priority int[], i_held bool[], i_due timestamptz[], i_name text[],
	i_definition text[], i_tags text[], i_sends text[], i_key text[])
RETURNS json LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_hash bytea;
	v_answer json;
	v_number bigint[] := array_fill(0::bigint,
		ARRAY[cardinality(i_class)]);
	v_keep int[];
	v_off bigint[]; v_turn bigint[]; v_queueable bigint[];
	n_project int[]; n_replicas int[]; n_class int[]; n_kind int[];
	n_priority int[]; n_held bool[]; n_due timestamptz[]; n_name text[];
	n_definition text[]; n_tags text[]; n_sends text[];
	v_total bigint;
	v_first bigint;
	v_any_key bool;
	v_mine bool;
	v record;
	v_old record;
	v_differs text[];
BEGIN
	IF p_key IS NOT NULL THEN
		PERFORM pg_advisory_xact_lock(7003,
			hashtext(r_owner || ' ' || p_key));
		SELECT body_hash, answer INTO v_hash, v_answer
		FROM sortie.idempotency
		WHERE owner_id = r_owner AND key = p_key;
		IF FOUND THEN
			IF v_hash <> p_hash THEN
				RAISE EXCEPTION 'the Idempotency-Key was used with another body'
					USING ERRCODE = 'SO006';
			END IF;
			RETURN v_answer;
		END IF;
	END IF;
	v_any_key := EXISTS (SELECT 1 FROM unnest(i_key) AS k
		WHERE k IS NOT NULL);
	IF v_any_key THEN
		-- Keys in order, so that two requests cannot wait for each
		-- other; a key that is being made elsewhere is waited for.
		FOR v IN
			SELECT i.ord::int AS ord, i.key,
				p_project[i.project] AS project_id
			FROM unnest(i_project, i_key) WITH ORDINALITY
				AS i(project, key, ord)
			WHERE i.key IS NOT NULL
			ORDER BY p_project[i.project], i.key, i.ord
		LOOP
			LOOP
				INSERT INTO sortie.job_key (owner_id,
					project_id, key, number)
				VALUES (r_owner, v.project_id, v.key, -v.ord)
				ON CONFLICT (owner_id, project_id, key)
					DO NOTHING;
				v_mine := FOUND;
				EXIT WHEN v_mine;
				SELECT k.number, j.definition, j.kind_id
				INTO v_old
				FROM sortie.job_key k
				LEFT JOIN sortie.job j ON j.number = k.number
				WHERE k.owner_id = r_owner
					AND k.project_id = v.project_id
					AND k.key = v.key;
				-- Else its job was deleted between the two.
				EXIT WHEN FOUND;
			END LOOP;
			CONTINUE WHEN v_mine;
			IF v_old.number < 0 THEN
				RAISE EXCEPTION 'the key "%" stands twice in the list', v.key
					USING ERRCODE = 'SO005',
					DETAIL = json_build_object('key', v.key);
			END IF;
			IF v_old.kind_id <> i_kind[v.ord]
			OR v_old.definition <> i_definition[v.ord]
			AND v_old.definition::jsonb
				<> i_definition[v.ord]::jsonb THEN
				SELECT coalesce(array_agg(coalesce(a.key, b.key)
					ORDER BY coalesce(a.key, b.key)), '{}')
				INTO v_differs
				FROM jsonb_each(v_old.definition::jsonb) a
				FULL JOIN jsonb_each(i_definition[v.ord]::jsonb)
					b ON a.key = b.key
				WHERE a.value IS DISTINCT FROM b.value;
				RAISE EXCEPTION 'the key "%" belongs to job % with another definition: % differ%',
					v.key, v_old.number,
					array_to_string(v_differs, ', '),
					CASE cardinality(v_differs)
					WHEN 1 THEN 's' ELSE '' END
					USING ERRCODE = 'SO005',
					DETAIL = json_build_object('key', v.key,
					'job', v_old.number,
					'differs', v_differs);
			END IF;
			v_number[v.ord] := v_old.number;
		END LOOP;
	END IF;

	-- The items that are new, in order. (Reading these arrays by subscript
	-- would be quadratic: texts have no fixed place in an array.)
	SELECT array_agg(s.ord), array_agg(s.off), array_agg(s.turn),
		array_agg(s.project), array_agg(s.replicas),
		array_agg(s.class_id), array_agg(s.kind_id),
		array_agg(s.priority), array_agg(s.held), array_agg(s.due),
		array_agg(s.name), array_agg(s.definition), array_agg(s.tags),
		array_agg(s.sends), sum(s.replicas)
	INTO v_keep, v_off, v_turn, n_project, n_replicas, n_class, n_kind,
		n_priority, n_held, n_due, n_name, n_definition, n_tags,
		n_sends, v_total
	FROM (SELECT i.*, (sum(i.replicas) OVER w - i.replicas)::bigint AS off,
			(sum(CASE WHEN i.held THEN 0 ELSE i.replicas END)
			OVER (PARTITION BY i.project ORDER BY i.ord)
			- CASE WHEN i.held THEN 0 ELSE i.replicas END)::bigint
			AS turn
		FROM (SELECT i.*, i.o::int AS ord
			FROM unnest(i_project, i_replicas, i_class, i_kind,
				i_priority, i_held, i_due, i_name,
				i_definition, i_tags, i_sends)
				WITH ORDINALITY AS i(project, replicas,
				class_id, kind_id, priority, held, due, name,
				definition, tags, sends, o)
			WHERE v_number[i.o] = 0) AS i
		WINDOW w AS (ORDER BY i.ord)
		ORDER BY i.ord) AS s;
	IF v_keep IS NOT NULL THEN
		SELECT array_agg(coalesce(s.n, 0) ORDER BY p.ord)
		INTO v_queueable
		FROM generate_subscripts(p_project, 1) AS p(ord)
		LEFT JOIN (SELECT u.project, sum(u.replicas)::bigint AS n
			FROM unnest(n_project, n_replicas, n_held)
				AS u(project, replicas, held)
			WHERE NOT u.held
			GROUP BY u.project) AS s ON s.project = p.ord;
		SELECT s.first INTO v_first FROM sortie.submit_1(p_bucket,
			p_high, p_low, v_total, p_project, v_queueable,
			ARRAY[r_owner], ARRAY[v_total],
			array_fill(1, ARRAY[cardinality(v_keep)]), n_project,
			v_off, v_turn, n_replicas, n_class, n_kind, n_priority,
			n_held, n_due, n_name, n_definition, n_tags,
			n_sends) AS s;
	END IF;
	IF v_any_key THEN
		UPDATE sortie.job_key y SET number = v_first + s.off
		FROM (SELECT k.ord, v_off[k.pos] AS off
			FROM unnest(v_keep) WITH ORDINALITY AS k(ord, pos)
			WHERE i_key[k.ord] IS NOT NULL) AS s
		WHERE y.owner_id = r_owner AND y.number = -s.ord
			AND y.project_id = p_project[i_project[s.ord]]
			AND y.key = i_key[s.ord];
	END IF;
	v_answer := json_build_object('count', coalesce(v_total, 0)
			+ (SELECT count(*) FROM unnest(v_number) AS x
				WHERE x <> 0),
		'first', coalesce(v_first, (SELECT min(x)
			FROM unnest(v_number) AS x)),
		'high', p_high, 'low', p_low,
		'numbers', CASE WHEN v_any_key THEN (
			SELECT json_agg(json_build_array(CASE WHEN x = 0
				THEN v_first + v_off[array_position(v_keep,
					ord::int)] ELSE x END, x = 0,
				CASE WHEN x <> 0 THEN (SELECT j.id
					FROM sortie.job j WHERE j.number = x)
				END) ORDER BY ord)
			FROM unnest(v_number) WITH ORDINALITY AS u(x, ord))
			END);
	IF p_key IS NOT NULL THEN
		INSERT INTO sortie.idempotency (owner_id, key, body_hash,
			answer)
		VALUES (r_owner, p_key, p_hash, v_answer);
	END IF;
	RETURN v_answer;
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
		INSERT INTO sortie.idempotency (owner_id, key, body_hash,
			answer)
		VALUES (p_owner, p_key, p_hash, v_answer);
	END IF;
	DELETE FROM sortie.staged WHERE submission_id = p_submission;
	DELETE FROM sortie.submission WHERE submission_id = p_submission;
	RETURN v_answer;
END $$;
