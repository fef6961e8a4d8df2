-- Submissions that may be repeated: with an Idempotency-Key, or of jobs that
-- have keys of their own.
--
-- What is there is looked up first. The keys of what is new are written in one
-- order, before any other row is locked, together with the answer: its numbers
-- are known by then. Who finds a key taken was overtaken by another server:
-- all is undone and run again (40001), and now it finds what the other has made.

-- The sentence about a key that belongs to a job with another definition.
CREATE OR REPLACE FUNCTION sortie.job_key_differs_1(p_key text,
	p_number bigint, p_old text, p_new text, OUT o_message text,
	OUT o_detail json)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	v_differs text[];
BEGIN
	SELECT coalesce(array_agg(coalesce(a.key, b.key)
		ORDER BY coalesce(a.key, b.key)), '{}')
	INTO v_differs
	FROM jsonb_each(p_old::jsonb) a
	FULL JOIN jsonb_each(p_new::jsonb) b ON a.key = b.key
	WHERE a.value IS DISTINCT FROM b.value;
	o_message := format(
		'the key "%s" belongs to job %s with another definition: %s differ%s',
		p_key, p_number, array_to_string(v_differs, ', '),
		CASE cardinality(v_differs) WHEN 1 THEN 's' ELSE '' END);
	o_detail := json_build_object('key', p_key, 'job', p_number,
		'differs', v_differs);
END $$;

-- Fewer keys were written than are new: another server has them now.
CREATE OR REPLACE FUNCTION sortie.keys_kept_1(p_kept bigint, p_new bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF p_kept < p_new THEN
		RAISE EXCEPTION 'the same is submitted elsewhere'
			USING ERRCODE = '40001';
	END IF;
END $$;

-- The answer that a repeated request gets from now on.
CREATE OR REPLACE FUNCTION sortie.idempotency_keep_1(p_owner int, p_key text,
	p_hash bytea, p_answer json) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	v_kept bigint;
BEGIN
	INSERT INTO sortie.idempotency (owner_id, key, body_hash, answer)
	VALUES (p_owner, p_key, p_hash, p_answer)
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS v_kept = ROW_COUNT;
	PERFORM sortie.keys_kept_1(v_kept, 1);
END $$;

-- A batch of requests, some of which may have keys; items as for submit_1,
-- each request's in a row, from the first request to the last.
--     r_key, r_hash   Idempotency-Key and SHA-256 of the body, or NULL
--     i_key           the job's key or NULL; such an item has replicas 1
-- A row for each request:
--     first, n   its first new number (or the least of those that exist) and
--                how many jobs it has
--     answer     JSON: {"count","first","high","low","numbers":[[number,
--                created, id of one that exists], ...]}; NULL when first, n,
--                p_high and p_low say it all
--     fault      NULL, or why nothing was made of it: SO005 (a key exists with
--                another definition, or stands twice in the request; detail:
--                key, job, differs), SO006 (the Idempotency-Key was used with
--                another body), 40001 (an equal key stands before it in the
--                batch: put it into the next one)
-- What submit_1 refuses fails the batch.
CREATE OR REPLACE FUNCTION sortie.submit_keyed_2(p_bucket int, p_high bigint,
	p_low bigint, p_project int[], r_owner int[], r_key text[],
	r_hash bytea[], i_req int[], i_project int[], i_replicas int[],
	i_class int[], i_kind int[], i_priority int[], i_held bool[],
	i_due timestamptz[], i_name text[], i_definition text[],
	i_tags text[], i_sends text[], i_key text[])
RETURNS TABLE (req int, first bigint, n bigint, answer json, fault text,
	message text, detail json)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_new bool[] := array_fill(true, ARRAY[cardinality(r_owner)]);
	v_count bigint[] := array_fill(0::bigint,
		ARRAY[cardinality(r_owner)]);
	v_queueable bigint[] := array_fill(0::bigint,
		ARRAY[cardinality(p_project)]);
	-- Of each item: the job that has its key, or 0.
	v_number bigint[] := array_fill(0::bigint,
		ARRAY[cardinality(i_req)]);
	v_any_key bool := array_remove(i_key, NULL) <> '{}';
	v_off bigint[];
	n_req int[]; n_off bigint[]; n_turn bigint[]; n_project int[];
	n_replicas int[]; n_class int[]; n_kind int[]; n_priority int[];
	n_held bool[]; n_due timestamptz[]; n_name text[];
	n_definition text[]; n_tags text[]; n_sends text[]; n_key text[];
	v_first bigint;
	v_firsts bigint[]; v_counts bigint[]; v_numbers json[];
	v_kept bigint;
	v_keys bigint;
	v record;
BEGIN
	-- Requests that were answered before.
	FOR req, answer, fault, message IN
		SELECT u.ord::int,
			CASE WHEN y.body_hash = u.hash THEN y.answer END,
			CASE WHEN y.body_hash <> u.hash THEN 'SO006' END,
			CASE WHEN y.body_hash <> u.hash THEN
			'the Idempotency-Key was used with another body' END
		FROM unnest(r_owner, r_key, r_hash) WITH ORDINALITY
			AS u(owner_id, key, hash, ord)
		JOIN sortie.idempotency y ON y.owner_id = u.owner_id
			AND y.key = u.key
	LOOP
		v_new[req] := false;
		RETURN NEXT;
	END LOOP;
	answer := NULL;

	IF v_any_key THEN
		-- Jobs that exist.
		FOR v IN
			SELECT i.ord, i.req, i.key, k.number,
				j.definition AS old, i.definition,
				j.kind_id = i.kind_id
				AND (j.definition = i.definition
				OR j.definition::jsonb = i.definition::jsonb)
				AS same
			FROM unnest(i_req, i_project, i_kind, i_definition,
				i_key) WITH ORDINALITY AS i(req, project,
				kind_id, definition, key, ord)
			JOIN sortie.job_key k ON k.owner_id = r_owner[i.req]
				AND k.project_id = p_project[i.project]
				AND k.key = i.key
			JOIN sortie.job j ON j.number = k.number
			WHERE v_new[i.req]
			ORDER BY i.ord
		LOOP
			v_number[v.ord] := v.number;
			CONTINUE WHEN v.same OR NOT v_new[v.req];
			v_new[v.req] := false;
			req := v.req;
			fault := 'SO005';
			SELECT d.o_message, d.o_detail INTO message, detail
			FROM sortie.job_key_differs_1(v.key, v.number, v.old,
				v.definition) AS d;
			RETURN NEXT;
		END LOOP;
		FOR req, fault, message, detail IN
			SELECT DISTINCT ON (i.req) i.req, 'SO005', format(
				'the key "%s" stands twice in the list',
				i.key), json_build_object('key', i.key)
			FROM unnest(i_req, i_project, i_key) WITH ORDINALITY
				AS i(req, project, key, ord)
			WHERE i.key IS NOT NULL AND v_new[i.req]
				AND v_number[i.ord] = 0
			GROUP BY i.req, i.project, i.key
			HAVING count(*) > 1
			ORDER BY i.req, i.key
		LOOP
			v_new[req] := false;
			RETURN NEXT;
		END LOOP;
		detail := NULL;
	END IF;

	-- Of equal new keys the first is made, the others find it next time.
	message := 'an equal key stands before it';
	FOR req, fault IN
		SELECT DISTINCT x.req, '40001'
		FROM (SELECT u.ord::int AS req, min(u.ord::int) OVER
				(PARTITION BY u.owner_id, u.key) AS first
			FROM unnest(r_owner, r_key) WITH ORDINALITY
				AS u(owner_id, key, ord)
			WHERE u.key IS NOT NULL AND v_new[u.ord]
			UNION ALL
			SELECT i.req, min(i.req) OVER (PARTITION BY
				r_owner[i.req], i.project, i.key)
			FROM unnest(i_req, i_project, i_key) WITH ORDINALITY
				AS i(req, project, key, ord)
			WHERE i.key IS NOT NULL AND v_new[i.req]
				AND v_number[i.ord] = 0) AS x
		WHERE x.req > x.first
	LOOP
		v_new[req] := false;
		RETURN NEXT;
	END LOOP;
	fault := NULL;
	message := NULL;

	-- The items that are new, in order. (Reading these arrays by subscript
	-- would be quadratic: texts have no fixed place in an array.)
	SELECT array_agg(s.off), array_agg(s.req) FILTER (WHERE s.new),
		array_agg(s.off) FILTER (WHERE s.new),
		array_agg(s.turn) FILTER (WHERE s.new),
		array_agg(s.project) FILTER (WHERE s.new),
		array_agg(s.replicas) FILTER (WHERE s.new),
		array_agg(s.class_id) FILTER (WHERE s.new),
		array_agg(s.kind_id) FILTER (WHERE s.new),
		array_agg(s.priority) FILTER (WHERE s.new),
		array_agg(s.held) FILTER (WHERE s.new),
		array_agg(s.due) FILTER (WHERE s.new),
		array_agg(s.name) FILTER (WHERE s.new),
		array_agg(s.definition) FILTER (WHERE s.new),
		array_agg(s.tags) FILTER (WHERE s.new),
		array_agg(s.sends) FILTER (WHERE s.new),
		array_agg(s.key) FILTER (WHERE s.new)
	INTO v_off, n_req, n_off, n_turn, n_project, n_replicas, n_class,
		n_kind, n_priority, n_held, n_due, n_name, n_definition,
		n_tags, n_sends, n_key
	FROM (SELECT i.*, (sum(i.made) OVER (ORDER BY i.ord) - i.made)::bigint
			AS off,
			(sum(i.line) OVER (PARTITION BY i.project
			ORDER BY i.ord) - i.line)::bigint AS turn
		FROM (SELECT i.*, x.new,
				CASE WHEN x.new THEN i.replicas ELSE 0 END
				AS made,
				CASE WHEN x.new AND NOT i.held THEN i.replicas
				ELSE 0 END AS line
			FROM unnest(i_req, i_project, i_replicas, i_class,
				i_kind, i_priority, i_held, i_due, i_name,
				i_definition, i_tags, i_sends, i_key)
				WITH ORDINALITY AS i(req, project, replicas,
				class_id, kind_id, priority, held, due, name,
				definition, tags, sends, key, ord),
				LATERAL (SELECT v_new[i.req]
				AND v_number[i.ord] = 0 AS new) AS x) AS i
		ORDER BY i.ord) AS s;
	IF n_req IS NOT NULL THEN
		FOR v IN SELECT u.req, sum(u.replicas)::bigint AS n
			FROM unnest(n_req, n_replicas) AS u(req, replicas)
			GROUP BY u.req
		LOOP
			v_count[v.req] := v.n;
		END LOOP;
		FOR v IN SELECT u.project, sum(u.replicas)::bigint AS n
			FROM unnest(n_project, n_replicas, n_held)
				AS u(project, replicas, held)
			WHERE NOT u.held GROUP BY u.project
		LOOP
			v_queueable[v.project] := v.n;
		END LOOP;
		PERFORM sortie.owner_room_2(r_owner, v_count, n_req,
			n_replicas, n_definition);
		v_first := sortie.job_numbers_1((SELECT sum(x)::bigint
			FROM unnest(v_count) AS x));
		IF v_any_key THEN
			INSERT INTO sortie.job_key (owner_id, project_id, key,
				number)
			SELECT r_owner[i.req], p_project[i.project], i.key,
				v_first + i.off
			FROM unnest(n_req, n_project, n_off, n_key)
				AS i(req, project, off, key)
			WHERE i.key IS NOT NULL
			ORDER BY 1, 2, 3
			ON CONFLICT DO NOTHING;
			GET DIAGNOSTICS v_kept = ROW_COUNT;
			PERFORM sortie.keys_kept_1(v_kept,
				cardinality(array_remove(n_key, NULL)));
		END IF;
	END IF;

	SELECT array_agg(s.first), array_agg(s.n), array_agg(s.numbers)
	INTO v_firsts, v_counts, v_numbers
	FROM (SELECT coalesce(min(v_first + v_off[i.ord])
				FILTER (WHERE v_number[i.ord] = 0),
				min(v_number[i.ord])) AS first,
			sum(i.replicas) AS n,
			CASE WHEN count(i.key) > 0 THEN
			json_agg(json_build_array(
				CASE v_number[i.ord] WHEN 0
				THEN v_first + v_off[i.ord]
				ELSE v_number[i.ord] END,
				v_number[i.ord] = 0,
				CASE WHEN v_number[i.ord] <> 0 THEN
				(SELECT j.id FROM sortie.job j
				WHERE j.number = v_number[i.ord]) END)
				ORDER BY i.ord) FILTER (WHERE v_any_key) END
				AS numbers
		FROM unnest(i_req, i_replicas, i_key) WITH ORDINALITY
			AS i(req, replicas, key, ord)
		GROUP BY i.req ORDER BY i.req) AS s;
	FOR req, first, n, answer, v_kept, v_keys IN
		WITH a AS MATERIALIZED (
			SELECT u.*, json_build_object('count', u.n,
				'first', u.first, 'high', p_high,
				'low', p_low, 'numbers', u.numbers) AS answer
			FROM unnest(r_owner, r_key, r_hash, v_firsts,
				v_counts, v_numbers) WITH ORDINALITY
				AS u(owner_id, key, hash, first, n, numbers,
				ord)
			WHERE v_new[u.ord]),
		k AS (
			INSERT INTO sortie.idempotency (owner_id, key,
				body_hash, answer)
			SELECT a.owner_id, a.key, a.hash, a.answer FROM a
			WHERE a.key IS NOT NULL
			ORDER BY a.owner_id, a.key
			ON CONFLICT DO NOTHING
			RETURNING 1)
		SELECT a.ord, a.first, a.n,
			CASE WHEN a.numbers IS NOT NULL THEN a.answer END,
			(SELECT count(*) FROM k), (SELECT count(a.key) FROM a)
		FROM a
	LOOP
		RETURN NEXT;
	END LOOP;
	PERFORM sortie.keys_kept_1(v_kept, v_keys);
	IF n_req IS NOT NULL THEN
		PERFORM sortie.submit_2(p_bucket, p_high, p_low, v_first,
			p_project, v_queueable, r_owner, v_count, n_req,
			n_project, n_off, n_turn, n_replicas, n_class, n_kind,
			n_priority, n_held, n_due, n_name, n_definition,
			n_tags, n_sends);
	END IF;
END $$;

-- One request alone: as a batch of one, but what is refused is raised, and the
-- answer is always JSON.
CREATE OR REPLACE FUNCTION sortie.submit_keyed_1(p_key text, p_hash bytea,
	p_bucket int, p_high bigint, p_low bigint, r_owner int,
	p_project int[],
	i_project int[], i_replicas int[], i_class int[], i_kind int[],
	i_priority int[], i_held bool[], i_due timestamptz[], i_name text[],
	i_definition text[], i_tags text[], i_sends text[], i_key text[])
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
	v record;
BEGIN
	SELECT * INTO v
	FROM sortie.submit_keyed_2(p_bucket, p_high, p_low, p_project,
		ARRAY[r_owner], ARRAY[p_key], ARRAY[p_hash],
		array_fill(1, ARRAY[cardinality(i_project)]), i_project,
		i_replicas, i_class, i_kind, i_priority, i_held, i_due, i_name,
		i_definition, i_tags, i_sends, i_key);
	IF v.fault IS NOT NULL THEN
		RAISE EXCEPTION '%', v.message USING ERRCODE = v.fault,
			DETAIL = coalesce(v.detail::text, '');
	END IF;
	RETURN coalesce(v.answer, json_build_object('count', v.n,
		'first', v.first, 'high', p_high, 'low', p_low,
		'numbers', NULL));
END $$;
