-- Workflows in a few words, for tests.
CREATE SCHEMA f;

-- p_nodes: "a b:any c:noop d:allow e:held" (jobs of p_owner's class); p_edges: "a>b a>c:f"
-- (success without a letter). p_to: an open workflow that they are added to;
-- NULL makes one. Returns its number.
CREATE FUNCTION f.make(p_header json, p_nodes text, p_edges text,
	p_to bigint DEFAULT NULL, p_key text DEFAULT NULL,
	p_due timestamptz DEFAULT NULL, p_paths text DEFAULT '',
	p_owner int DEFAULT 1, p_definition text
	DEFAULT '{"payload":"/bin/true"}')
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
	v_name text[]; v_flag text[]; v_n int[]; x text[];
	e_child int[]; e_parent int[]; e_cond "char"[];
	u_item int[]; u_dataset int[]; u_role "char"[]; d_path text[];
	v_bucket int := coalesce(current_setting('f.bucket', true), '3');
BEGIN
	SELECT array_agg(split_part(w, ':', 1) ORDER BY o),
		array_agg(split_part(w, ':', 2) ORDER BY o)
	INTO v_name, v_flag
	FROM string_to_table(p_nodes, ' ') WITH ORDINALITY AS u(w, o);
	WITH n AS (SELECT w, o::int FROM unnest(v_name) WITH ORDINALITY
			AS u(w, o)),
	e AS (SELECT split_part(w, '>', 1) AS p, split_part(split_part(w, '>',
			2), ':', 1) AS c, coalesce(nullif(split_part(w, ':',
			2), ''), 's')::"char" AS cond
		FROM string_to_table(nullif(p_edges, ''), ' ') AS w),
	y AS (SELECT e.p, row_number() OVER ()::int AS o FROM e
		LEFT JOIN n ON n.w = e.p WHERE n.w IS NULL GROUP BY e.p)
	SELECT coalesce(array_agg(c.o), '{}'),
		coalesce(array_agg(coalesce(n.o, -y.o)), '{}'),
		coalesce(array_agg(e.cond), '{}'),
		coalesce((SELECT array_agg(p ORDER BY o) FROM y), '{}')
	INTO e_child, e_parent, e_cond, x
	FROM e JOIN n AS c ON c.w = e.c LEFT JOIN n ON n.w = e.p
	LEFT JOIN y ON y.p = e.p;
	-- p_paths: "a>/x b</x": a writes, b reads.
	SELECT coalesce(array_agg(DISTINCT substring(w FROM '[<>](.*)')), '{}')
	INTO d_path FROM string_to_table(nullif(p_paths, ''), ' ') AS w;
	SELECT coalesce(array_agg(array_position(v_name,
			substring(w FROM '[^<>]*'))), '{}'),
		coalesce(array_agg(array_position(d_path,
			substring(w FROM '[<>](.*)'))), '{}'),
		coalesce(array_agg(CASE substring(w FROM '[<>]')
			WHEN '>' THEN 'o' ELSE 'i' END::"char"), '{}')
	INTO u_item, u_dataset, u_role
	FROM string_to_table(nullif(p_paths, ''), ' ') AS w;
	v_n := ARRAY[cardinality(v_name)];
	IF p_to IS NULL THEN
		RETURN sortie.workflow_create_1(p_key, p_key::bytea, v_bucket,
			7274496, -5, p_owner, p_owner, p_header,
			array_fill(p_owner, v_n), array_fill(p_owner, v_n),
			array_fill(0, v_n),
			(SELECT array_agg(y = 'held' ORDER BY o)
				FROM unnest(v_flag) WITH ORDINALITY AS u(y, o)),
			array_fill(p_due, v_n), v_name,
			array_fill(p_definition, v_n),
			array_fill(NULL::text, v_n),
			array_fill(NULL::text, v_n),
			array_fill(NULL::text, v_n), v_name,
			(SELECT array_agg(y = 'noop' ORDER BY o)
				FROM unnest(v_flag) WITH ORDINALITY AS u(y, o)),
			(SELECT array_agg(y = 'any' ORDER BY o)
				FROM unnest(v_flag) WITH ORDINALITY AS u(y, o)),
			(SELECT array_agg(y = 'allow' ORDER BY o)
				FROM unnest(v_flag) WITH ORDINALITY AS u(y, o)),
			array_fill(-1, v_n), e_child, e_parent, e_cond, x,
			array_fill(''::text, ARRAY[cardinality(d_path)]),
			d_path, d_path,
			array_fill(NULL::text, ARRAY[cardinality(d_path)]),
			array_fill(''::text, ARRAY[cardinality(d_path)]),
			array_fill(''::text, ARRAY[cardinality(d_path)]),
			u_item, u_dataset, u_role,
			array_fill(''::text, ARRAY[cardinality(u_item)]));
	END IF;
	RETURN sortie.workflow_add_1(p_key, p_key::bytea, v_bucket, 7274496,
		-5, 1, '{}', p_to, array_fill(1, v_n), array_fill(1, v_n),
		array_fill(0, v_n), array_fill(false, v_n),
		array_fill(p_due, v_n), v_name,
		array_fill(p_definition, v_n),
		array_fill(NULL::text, v_n), array_fill(NULL::text, v_n),
		array_fill(NULL::text, v_n), v_name,
		(SELECT array_agg(y = 'noop' ORDER BY o)
			FROM unnest(v_flag) WITH ORDINALITY AS u(y, o)),
		(SELECT array_agg(y = 'any' ORDER BY o)
			FROM unnest(v_flag) WITH ORDINALITY AS u(y, o)),
		array_fill(false, v_n), array_fill(-1, v_n), e_child, e_parent,
		e_cond, x, array_fill(''::text, ARRAY[cardinality(d_path)]),
		d_path, d_path,
		array_fill(NULL::text, ARRAY[cardinality(d_path)]),
		array_fill(''::text, ARRAY[cardinality(d_path)]),
		array_fill(''::text, ARRAY[cardinality(d_path)]), u_item,
		u_dataset, u_role,
		array_fill(''::text, ARRAY[cardinality(u_item)]));
END $$;

CREATE FUNCTION f.number(p_flow bigint, p_name text) RETURNS bigint
LANGUAGE sql AS $$
	SELECT number FROM sortie.node
	WHERE workflow = p_flow AND name = p_name
$$;

-- "a:ready b:after …" in order of names; ready: queued or granted.
CREATE FUNCTION f.states(p_flow bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(n.name || ':' || coalesce(w.why, CASE
		WHEN sortie.job_state_1(n.number) IN ('defined', 'dispatched')
		THEN 'ready' ELSE sortie.job_state_1(n.number)::text END), ' '
		ORDER BY n.name)
	FROM sortie.node n LEFT JOIN sortie.waiting w USING (number)
	WHERE n.workflow = p_flow
$$;

CREATE FUNCTION f.state(p_flow bigint) RETURNS text LANGUAGE sql AS $$
	SELECT state || ' ' || n_ended || '/' || n_jobs || ' ' || n_bad
	FROM sortie.workflow WHERE workflow = p_flow
$$;

-- Runs jobs of a workflow to their ends, "a:failed b", as a pilot that claims
-- them all would report it, in one report.
CREATE FUNCTION f.run(p_flow bigint, p_ends text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	v_number bigint[]; v_state text[]; v_run bigint[]; v_pilot bigint[];
	n int[];
	v_rows text;
BEGIN
	PERFORM sortie.claim_1(1, 1, (random() * 1e15)::bigint, ARRAY[p.pilot],
		ARRAY[p.request + 1], ARRAY[1000], ARRAY[1000],
		ARRAY[0::bigint], ARRAY[0], ARRAY[200::bigint])
	FROM sortie.pilot_room p;
	SELECT array_agg(l.number), array_agg(coalesce(nullif(
			split_part(w, ':', 2), ''), 'finished')),
		array_agg(l.run), array_agg(DISTINCT l.pilot)
	INTO v_number, v_state, v_run, v_pilot
	FROM string_to_table(p_ends, ' ') AS w
	JOIN sortie.live l ON l.number
		= f.number(p_flow, split_part(w, ':', 1));
	n := ARRAY[cardinality(v_number)];
	IF v_number IS NULL THEN
		RETURN 'none';
	END IF;
	SELECT string_agg(r.what::text, '' ORDER BY r.what) INTO v_rows
	FROM sortie.report_2(2, 1, 3, v_pilot, ARRAY[300::bigint],
		ARRAY[false], ARRAY[false], '{}', '{}', '{}', '{}',
		array_fill(1, n), v_number, v_run,
		v_state::sortie.run_state[], array_fill(''::text, n),
		array_fill(0, n), array_fill(NULL::int, n),
		array_fill(0::bigint, n), array_fill(5::bigint, n),
		array_fill(true, n), array_fill(1::bigint, n),
		array_fill(1::bigint, n), array_fill(1::bigint, n),
		array_fill(0::bigint, n), array_fill(0::bigint, n),
		array_fill(NULL::bytea, n), array_fill(NULL::bytea, n),
		array_fill(0::smallint, n), array_fill(NULL::text, n),
		array_fill(NULL::text, n), '{}', '{}', '{}') AS r
	WHERE r.what NOT IN ('w', 'W');
	RETURN v_rows;
END $$;

-- Tells all that is left to tell, one child a step.
CREATE FUNCTION f.told() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	WHILE (SELECT t.more FROM sortie.graph_firing_1(0, 1) AS t) LOOP
	END LOOP;
END $$;
