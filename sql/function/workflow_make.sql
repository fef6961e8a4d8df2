-- Workflows come to be: jobs, edges and datasets of one request at once.

-- The datasets of a request. d_* are unique by site and path; u_job is the job
-- of each use, u_dataset the index of its dataset. What is read only is the
-- newest version there is, or a new one that is expected from outside; what is
-- made by a job is a new version. Of a relative path only the workflow's own
-- versions count. SO012, SO020: that path must not be written; SO017: a job
-- cannot read what another one writes (detail: the path).
CREATE OR REPLACE FUNCTION sortie.graph_datasets_1(p_high bigint, p_low bigint,
	p_workflow bigint, p_owner int, p_project int, d_site text[],
	d_path text[], d_name text[], d_datatype text[], d_tag text[],
	d_comment text[], u_job bigint[], u_dataset int[], u_role "char"[],
	u_tag text[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_number bigint[];
	v_own bigint[];
	v_job bigint[]; v_site text[]; v_path text[];
	v_bad record;
	v_bytes bigint;
BEGIN
	PERFORM sortie.plans_1(cardinality(u_job));
	SELECT array_agg(u.job), array_agg(d_site[u.dataset]),
		array_agg(d_path[u.dataset])
	INTO v_job, v_site, v_path
	FROM unnest(u_dataset, u_job, u_role) AS u(dataset, job, role)
	WHERE u.role = 'o';
	IF v_job IS NOT NULL THEN
		SELECT t.* INTO v_bad
		FROM sortie.paths_taken_1(v_job, v_site, v_path) AS t
		ORDER BY t.job LIMIT 1;
		IF v_bad.code = 'SO012' THEN
			RAISE EXCEPTION '%', v_bad.message
				USING ERRCODE = 'SO012', DETAIL = v_bad.path;
		ELSIF v_bad.code IS NOT NULL THEN
			RAISE EXCEPTION '%', v_bad.message
				USING ERRCODE = v_bad.code;
		END IF;
	END IF;
	IF EXISTS (SELECT 1 FROM unnest(d_path) AS p
		WHERE NOT sortie.path_shared_1(p)) THEN
		SELECT array_agg(w.dataset ORDER BY d.ord) INTO v_own
		FROM unnest(d_site, d_path) WITH ORDINALITY
			AS d(site, path, ord)
		LEFT JOIN (SELECT DISTINCT ON (y.site, y.path) y.dataset,
				y.site, y.path
			FROM sortie.dataset y WHERE y.workflow = p_workflow
				AND NOT sortie.path_shared_1(y.path)
			ORDER BY y.site, y.path, y.version DESC) AS w
			ON w.site = d.site AND w.path = d.path;
	END IF;
	BEGIN
		WITH p AS MATERIALIZED (
			SELECT u.dataset, min(u.job) AS job
			FROM unnest(u_dataset, u_job, u_role)
				AS u(dataset, job, role)
			JOIN sortie.node n ON n.number = u.job AND NOT n.noop
			WHERE u.role = 'o' GROUP BY u.dataset),
		o AS MATERIALIZED (
			SELECT d.*, p.job, CASE
				WHEN NOT sortie.path_shared_1(d.path)
				THEN v_own[d.ord] WHEN x.state <> 'deleted'
				THEN x.dataset END AS old,
				coalesce(x.version, 0) AS version
			FROM unnest(d_site, d_path, d_name, d_datatype, d_tag,
				d_comment) WITH ORDINALITY AS d(site, path,
				name, datatype, tag, comment, ord)
			LEFT JOIN p ON p.dataset = d.ord
			LEFT JOIN LATERAL (SELECT y.dataset, y.version, y.state
				FROM sortie.dataset y
				WHERE y.site = d.site AND y.path = d.path
				ORDER BY y.version DESC LIMIT 1) AS x ON true),
		f AS MATERIALIZED (
			SELECT o.*, CASE WHEN o.job IS NULL AND o.old
				IS NOT NULL THEN o.old
				ELSE nextval('sortie.dataset_number') END
				AS number
			FROM o),
		-- In order, so that two requests cannot wait for each other.
		i AS (
			INSERT INTO sortie.dataset (dataset, id, owner_id,
				project_id, site, path, version, name,
				datatype, tag, comment, state, workflow,
				producer, bytes)
			SELECT f.number, sortie.uuid_1(p_high, p_low,
				f.number), p_owner, p_project, f.site, f.path,
				f.version + 1, f.name, f.datatype, f.tag,
				f.comment, 'declared', p_workflow, f.job,
				sortie.dataset_bytes_1(f.path, f.name,
				f.comment)
			FROM f WHERE f.number IS DISTINCT FROM f.old
			ORDER BY f.site, f.path
			RETURNING bytes)
		SELECT array_agg(f.number ORDER BY f.ord),
			(SELECT sum(i.bytes) FROM i)
		INTO v_number, v_bytes FROM f;
	EXCEPTION WHEN unique_violation THEN
		RAISE EXCEPTION 'a dataset of the request is just being made elsewhere'
			USING ERRCODE = '40001';
	END;
	PERFORM sortie.stored_add_1('d', ARRAY[p_owner], ARRAY[v_bytes]);
	PERFORM sortie.owner_store_1(p_owner, 0);
	INSERT INTO sortie.dataset_use (number, dataset, role, tag)
	SELECT u.job, v_number[u.dataset], u.role, u.tag
	FROM unnest(u_job, u_dataset, u_role, u_tag)
		AS u(job, dataset, role, tag)
	ON CONFLICT DO NOTHING;
	IF v_own IS NOT NULL THEN
		PERFORM sortie.relative_check_1(u_job, ARRAY(
			SELECT v_number[x] FROM unnest(u_dataset)
			WITH ORDINALITY AS u(x, ord) ORDER BY ord), u_role);
	END IF;
END $$;

-- Jobs become nodes of a workflow, whose row the caller holds. Arrays of items
-- and nodes run parallel, a job each:
--     i_*      as for submit_keyed_1
--     n_*      name (unique in the workflow), runs nothing, starts after any
--              of its conditions, may fail, index in its matrix (-1: none)
--     e_*      edges: index of the child; index of the parent, or below zero
--              that of a name in x_parent; condition
--     d_*, u_* datasets and who uses them (u_item: index, or as e_parent)
-- Returns the first number; item i has the (i - 1)th after it. o_class: classes
-- that got work; o_firing: edges are left to tell.
CREATE OR REPLACE FUNCTION sortie.graph_add_1(p_bucket int, p_high bigint,
	p_low bigint, p_workflow bigint, i_class int[], i_kind int[],
	i_priority int[], i_held bool[], i_due timestamptz[], i_name text[],
	i_definition text[], i_tags text[], i_sends text[], i_key text[],
	n_name text[], n_noop bool[], n_any bool[], n_allow bool[],
	n_index int[], e_child int[], e_parent int[], e_cond "char"[],
	x_parent text[], d_site text[], d_path text[], d_name text[],
	d_datatype text[], d_tag text[], d_comment text[], u_item int[],
	u_dataset int[], u_role "char"[], u_tag text[],
	OUT o_first bigint, OUT o_class int[], OUT o_firing bool)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	g sortie.workflow;
	v_n int := cardinality(i_class);
	v_classes int[];
	v_now timestamptz := clock_timestamp();
	v_old bigint[] := '{}';
	v_bad text;
	v_number bigint;
	v_look bigint[];
	v_noop bigint[] := '{}'; v_noop_kind int[] := '{}'; -- end at once
	v_minute text[];
	x_class int[]; x_place int[]; x_number bigint[]; x_kind int[];
BEGIN
	SELECT * INTO g FROM sortie.workflow w WHERE w.workflow = p_workflow;
	o_class := '{}';
	o_firing := false;
	IF v_n = 0 THEN
		RETURN;
	END IF;
	PERFORM sortie.plans_1(v_n + cardinality(e_child));
	PERFORM sortie.owner_room_2(ARRAY[(SELECT k.owner_id
			FROM sortie.kind k WHERE k.kind_id = i_kind[1])],
		ARRAY[v_n::bigint], array_fill(1, ARRAY[v_n]),
		array_fill(1, ARRAY[v_n]), i_definition);
	SELECT array_agg(DISTINCT c) INTO v_classes FROM unnest(i_class) AS c;
	IF EXISTS (SELECT 1 FROM unnest(v_classes) AS c
		WHERE NOT EXISTS (SELECT 1 FROM sortie.queue q
			WHERE q.class_id = c)
		AND NOT EXISTS (SELECT 1 FROM sortie.waiting w
			WHERE w.class_id = c))
	AND sortie.classes_wanted_1(v_classes, 4001) > 4000 THEN
		RAISE EXCEPTION 'more than 4000 different combinations of requirements would be queued'
			USING ERRCODE = 'SO003';
	END IF;
	PERFORM sortie.classes_keep_1(v_classes);
	SELECT x.name, x.ord INTO v_bad, v_number
	FROM unnest(x_parent) WITH ORDINALITY AS x(name, ord)
	WHERE NOT EXISTS (SELECT 1 FROM sortie.node n
		WHERE n.workflow = p_workflow AND n.name = x.name) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'job "%" comes after the job "%", which the workflow does not have',
			n_name[e_child[array_position(e_parent,
				-v_number::int)]], v_bad
			USING ERRCODE = 'SO013', DETAIL = v_bad;
	END IF;
	SELECT array_agg(n.number ORDER BY x.ord) INTO v_old
	FROM unnest(x_parent) WITH ORDINALITY AS x(name, ord)
	JOIN sortie.node n ON n.workflow = p_workflow AND n.name = x.name;
	SELECT x.name INTO v_bad
	FROM unnest(n_name) AS x(name)
	JOIN sortie.node n ON n.workflow = p_workflow AND n.name = x.name
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'the workflow has a job "%" already', v_bad
			USING ERRCODE = 'SO014', DETAIL = v_bad;
	END IF;
	o_first := sortie.job_numbers_1(v_n);

	INSERT INTO sortie.job (number, id, kind_id, class_id, priority, idx,
		submitted_at, name, definition, bytes)
	SELECT o_first + i.ord - 1,
		sortie.uuid_1(p_high, p_low, o_first + i.ord - 1), i.kind_id,
		i.class_id, i.priority, CASE WHEN i.idx >= 0 THEN i.idx END,
		v_now, i.name, i.definition, octet_length(i.definition)
	FROM unnest(i_class, i_kind, i_priority, n_index, i_name, i_definition)
		WITH ORDINALITY AS i(class_id, kind_id, priority, idx, name,
			definition, ord);
	-- An administrator's, in whosever workflow, are the administrator's.
	PERFORM sortie.stored_add_1('j', array_agg(k.owner_id),
		array_agg(octet_length(i.definition)::bigint))
	FROM unnest(i_kind, i_definition) AS i(kind_id, definition)
	JOIN sortie.kind k ON k.kind_id = i.kind_id;
	-- Sources that run nothing, as each file's workflow begins with, never
	-- wait: they are born ended. Beyond a few the usual way is cheaper.
	IF g.state = 'running' AND true = ANY (n_noop) THEN
		SELECT coalesce(array_agg(o_first + x.ord - 1), '{}'),
			coalesce(array_agg(i_kind[x.ord]), '{}')
		INTO v_noop, v_noop_kind
		FROM (SELECT i.ord::int
			FROM unnest(n_noop, i_held, i_due) WITH ORDINALITY
				AS i(noop, held, due, ord)
			WHERE i.noop AND NOT i.held
				AND NOT coalesce(i.due > v_now, false)
			EXCEPT SELECT unnest(e_child) LIMIT 17) AS x(ord);
		IF cardinality(v_noop) > 16 THEN
			v_noop := '{}';
			v_noop_kind := '{}';
		END IF;
	END IF;
	INSERT INTO sortie.ended (number, kind_id, state, ended_at, reason)
	SELECT u.number, u.kind_id, 'finished', v_now, ''
	FROM unnest(v_noop, v_noop_kind) AS u(number, kind_id);
	-- A parent that has ended tells its end at once, or when its turn comes.
	WITH e AS (
		INSERT INTO sortie.edge (parent, child, cond)
		SELECT DISTINCT CASE WHEN x.parent > 0
				THEN o_first + x.parent - 1
				ELSE v_old[-x.parent] END,
			o_first + x.child - 1, x.cond
		FROM unnest(e_child, e_parent, e_cond) AS x(child, parent, cond)
		RETURNING parent, child, cond),
	c AS (
		SELECT e.child, (count(*) - count(m.met))::int AS open,
			coalesce(bool_or(m.met), false) AS met,
			coalesce(bool_or(NOT m.met), false) AS unmet
		FROM e
		LEFT JOIN sortie.ended d ON d.number = e.parent
			AND e.parent < o_first AND NOT EXISTS (SELECT 1
				FROM sortie.firing f WHERE f.number = e.parent)
		CROSS JOIN LATERAL (SELECT CASE
			WHEN e.parent = ANY (v_noop)
			THEN sortie.cond_met_1(e.cond, 'finished')
			ELSE sortie.cond_met_1(e.cond, d.state)
			END AS met) AS m
		GROUP BY e.child)
	INSERT INTO sortie.node (number, workflow, name, open, met, unmet,
		any_of, noop, allow_failure)
	SELECT o_first + i.ord - 1, p_workflow, i.name, coalesce(c.open, 0),
		coalesce(c.met, true), coalesce(c.unmet, false), i.any_of,
		i.noop, i.allow
	FROM unnest(n_name, n_any, n_noop, n_allow) WITH ORDINALITY
		AS i(name, any_of, noop, allow, ord)
	LEFT JOIN c ON c.child = o_first + i.ord - 1;

	-- What can run now goes into line, everything else waits.
	WITH i AS MATERIALIZED (
		SELECT n.number, i.class_id, i.kind_id, ~i.priority AS place,
			i.held, i.due, CASE WHEN n.any_of THEN n.met
				ELSE n.open = 0 AND NOT n.unmet END AS ready,
			n.noop, n.unmet AND NOT n.any_of
				OR n.any_of AND NOT n.met AND n.open = 0
				AS skip
		FROM unnest(i_class, i_kind, i_priority, i_held, i_due)
			WITH ORDINALITY
			AS i(class_id, kind_id, priority, held, due, ord)
		JOIN sortie.node n ON n.number = o_first + i.ord - 1
			AND NOT n.number = ANY (v_noop)),
	f AS MATERIALIZED (
		SELECT i.*, i.ready AND NOT i.noop AND NOT i.held
			AND g.state = 'running' AND g.max_running IS NULL
			AND NOT coalesce(i.due > v_now, false) AS goes
		FROM i),
	w AS (
		INSERT INTO sortie.waiting (number, why, due, class_id,
			kind_id, project_id, place, turn, attempt, workflow)
		SELECT f.number, CASE WHEN f.held THEN 'held' ELSE 'after' END,
			f.due, f.class_id, f.kind_id, g.project_id, f.place, 0,
			1, p_workflow
		FROM f WHERE NOT f.goes)
	SELECT array_agg(f.number) FILTER (WHERE NOT f.goes
			AND (f.ready OR f.skip)),
		array_agg(f.class_id) FILTER (WHERE f.goes),
		array_agg(f.place) FILTER (WHERE f.goes),
		array_agg(f.number) FILTER (WHERE f.goes),
		array_agg(f.kind_id) FILTER (WHERE f.goes)
	INTO v_look, x_class, x_place, x_number, x_kind FROM f;
	PERFORM sortie.tally_add_1(p_bucket, array_agg(w.kind_id)
			|| v_noop_kind,
		array_agg(CASE w.why WHEN 'held' THEN 'held' ELSE 'waiting' END
			::sortie.job_state) || array_fill('finished'
			::sortie.job_state, ARRAY[cardinality(v_noop)]),
		array_agg(1::bigint) || array_fill(1::bigint,
			ARRAY[cardinality(v_noop)]))
	FROM sortie.waiting w
	WHERE w.number BETWEEN o_first AND o_first + v_n - 1;

	INSERT INTO sortie.job_tag (name, value, number)
	SELECT t.key, t.value, o_first + i.ord - 1
	FROM unnest(i_tags) WITH ORDINALITY AS i(tags, ord),
		json_each_text(i.tags::json) AS t
	WHERE i.tags IS NOT NULL;
	SELECT h INTO v_bad
	FROM unnest(i_sends) AS s, string_to_table(s, ',') AS h
	WHERE NOT EXISTS (SELECT 1 FROM sortie.blob b
		WHERE b.sha256 = decode(h, 'hex')) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'the file % was never put here', v_bad
			USING ERRCODE = 'SO004', DETAIL = v_bad;
	END IF;
	INSERT INTO sortie.blob_use (sha256, number)
	SELECT DISTINCT decode(h, 'hex'), o_first + i.ord - 1
	FROM unnest(i_sends) WITH ORDINALITY AS i(sends, ord),
		string_to_table(i.sends, ',') AS h
	WHERE i.sends IS NOT NULL;
	FOR v_bad, v_number IN
		SELECT i.key, o_first + i.ord - 1
		FROM unnest(i_key) WITH ORDINALITY AS i(key, ord)
		WHERE i.key IS NOT NULL ORDER BY i.key
	LOOP
		INSERT INTO sortie.job_key (owner_id, project_id, key, number)
		VALUES (g.owner_id, g.project_id, v_bad, v_number)
		ON CONFLICT (owner_id, project_id, key) DO NOTHING;
		CONTINUE WHEN FOUND;
		SELECT k.number INTO v_number FROM sortie.job_key k
		WHERE k.owner_id = g.owner_id AND k.project_id = g.project_id
			AND k.key = v_bad;
		RAISE EXCEPTION 'the key "%" belongs to job %', v_bad, v_number
			USING ERRCODE = 'SO005', DETAIL = json_build_object(
				'key', v_bad, 'job', v_number);
	END LOOP;
	v_minute := array_fill('submitted'::text, ARRAY[v_n])
		|| array_fill('finished'::text, ARRAY[cardinality(v_noop)]);
	PERFORM sortie.tally_minute_add_1(p_bucket, i_kind || v_noop_kind,
		v_minute, array_fill(1::bigint,
			ARRAY[cardinality(v_minute)]));
	INSERT INTO sortie.event (kind, owner_id, job, detail)
	VALUES ('submitted', g.owner_id, o_first, json_build_object('count',
		v_n, 'workflow', p_workflow));
	INSERT INTO sortie.event (kind, job, text)
	SELECT 'finished', x, '' FROM unnest(v_noop) AS x;
	IF cardinality(d_path) > 0 THEN
		PERFORM sortie.graph_datasets_1(p_high, p_low, p_workflow,
			g.owner_id, g.project_id, d_site, d_path, d_name,
			d_datatype, d_tag, d_comment, (SELECT array_agg(
				CASE WHEN u.item > 0 THEN o_first + u.item - 1
				ELSE v_old[-u.item] END ORDER BY u.ord)
				FROM unnest(u_item) WITH ORDINALITY
				AS u(item, ord)), u_dataset, u_role, u_tag);
	END IF;
	UPDATE sortie.workflow w SET n_jobs = w.n_jobs + v_n,
		n_ended = w.n_ended + cardinality(v_noop)
	WHERE w.workflow = p_workflow;

	IF x_number IS NOT NULL THEN
		PERFORM sortie.line_up_2(p_bucket, NULL, x_class, x_place,
			x_number, array_fill(1::smallint,
			ARRAY[cardinality(x_number)]), x_kind);
		o_class := x_class;
	END IF;
	IF v_look IS NOT NULL THEN
		SELECT o_class || coalesce(array_agg(s.number::int)
				FILTER (WHERE s.what = 'w'), '{}'),
			coalesce(bool_or(s.what = 'f'), false)
		INTO o_class, o_firing
		FROM sortie.graph_settle_1(p_bucket, NULL, NULL, NULL, NULL,
			NULL, NULL, v_look, 1000, 1000) AS s;
	END IF;
	SELECT coalesce(array_agg(DISTINCT c), '{}') INTO o_class
	FROM unnest(o_class) AS c;
END $$;

-- The answer to a repeated Idempotency-Key, NULL when it is new. SO006.
CREATE OR REPLACE FUNCTION sortie.idempotent_1(p_owner int, p_key text,
	p_hash bytea) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
	v sortie.idempotency;
BEGIN
	IF p_key IS NULL THEN
		RETURN NULL;
	END IF;
	PERFORM pg_advisory_xact_lock(7003, hashtext(p_owner || ' ' || p_key));
	SELECT * INTO v FROM sortie.idempotency i
	WHERE i.owner_id = p_owner AND i.key = p_key;
	IF FOUND AND v.body_hash <> p_hash THEN
		RAISE EXCEPTION 'the Idempotency-Key was used with another body'
			USING ERRCODE = 'SO006';
	END IF;
	RETURN (v.answer::jsonb || '{"created":false,"classes":[]}')::json;
END $$;

-- What a request that made jobs of a workflow is answered.
CREATE OR REPLACE FUNCTION sortie.workflow_answer_1(p_workflow bigint,
	p_first bigint, p_class int[], p_firing bool) RETURNS json
LANGUAGE sql STABLE AS $$
	SELECT json_build_object('number', g.workflow, 'id', g.id, 'name',
		g.name, 'state', g.state, 'jobs', g.n_jobs, 'first', p_first,
		'classes', p_class, 'firing', p_firing, 'created', true)
	FROM sortie.workflow g WHERE g.workflow = p_workflow
$$;

-- Makes a workflow.
--     p_key, p_hash  Idempotency-Key and SHA-256 of the body, or NULL
--     p_high, p_low  time and salt of the UUIDs of all that is made
--     p_header       name, description, dag, dag_version, state, open,
--                    close_auto, on_failure, max_running, callback, header
-- Everything else as for graph_add_1. Returns the answer as JSON: number, id,
-- name, state, jobs, first, classes, firing, created. Errors: SO003 to SO006,
-- SO009, SO012, SO017, SO020, SO030; 40001: again.
CREATE OR REPLACE FUNCTION sortie.workflow_create_1(p_key text, p_hash bytea,
	p_bucket int, p_high bigint, p_low bigint, p_owner int, p_project int,
	p_header json, i_class int[], i_kind int[], i_priority int[],
	i_held bool[], i_due timestamptz[], i_name text[],
	i_definition text[], i_tags text[], i_sends text[], i_key text[],
	n_name text[], n_noop bool[], n_any bool[], n_allow bool[],
	n_index int[], e_child int[], e_parent int[], e_cond "char"[],
	x_parent text[], d_site text[], d_path text[], d_name text[],
	d_datatype text[], d_tag text[], d_comment text[], u_item int[],
	u_dataset int[], u_role "char"[], u_tag text[])
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
	v_answer json := sortie.idempotent_1(p_owner, p_key, p_hash);
	v_flow bigint;
	v_state text := coalesce(p_header ->> 'state', 'running');
	r record;
BEGIN
	IF v_answer IS NOT NULL THEN
		RETURN v_answer;
	END IF;
	v_flow := nextval('sortie.workflow_number');
	INSERT INTO sortie.workflow (workflow, id, owner_id, project_id, name,
		description, dag, dag_version, state, open, close_auto,
		on_failure, max_running, header, callback, started_at)
	VALUES (v_flow, sortie.uuid_1(p_high, p_low, v_flow), p_owner,
		p_project, coalesce(p_header ->> 'name', ''),
		coalesce(p_header ->> 'description', ''), p_header ->> 'dag',
		(p_header ->> 'dag_version')::int, v_state,
		coalesce((p_header ->> 'open')::bool, false),
		coalesce((p_header ->> 'close_auto')::bool, false),
		coalesce(p_header ->> 'on_failure', 'continue'),
		(p_header ->> 'max_running')::int,
		coalesce(p_header -> 'header', '{}'), CASE
			json_typeof(p_header -> 'callback') WHEN 'null'
			THEN NULL ELSE p_header -> 'callback' END,
		CASE v_state WHEN 'running' THEN clock_timestamp() END);
	INSERT INTO sortie.event (kind, owner_id, text, detail)
	VALUES ('workflow created', p_owner, 'workflow ' || v_flow,
		json_strip_nulls(json_build_object('workflow', v_flow, 'name',
		nullif(p_header ->> 'name', ''), 'dag', p_header ->> 'dag',
		'state', v_state, 'jobs', cardinality(i_class))));
	SELECT * INTO r FROM sortie.graph_add_1(p_bucket, p_high, p_low,
		v_flow, i_class, i_kind, i_priority, i_held, i_due, i_name,
		i_definition, i_tags, i_sends, i_key, n_name, n_noop, n_any,
		n_allow, n_index, e_child, e_parent, e_cond, x_parent, d_site,
		d_path, d_name, d_datatype, d_tag, d_comment, u_item,
		u_dataset, u_role, u_tag);
	PERFORM sortie.workflow_over_1(ARRAY[v_flow]);
	v_answer := sortie.workflow_answer_1(v_flow, r.o_first, r.o_class,
		r.o_firing);
	IF p_key IS NOT NULL THEN
		PERFORM sortie.idempotency_keep_1(p_owner, p_key, p_hash,
			v_answer);
	END IF;
	RETURN v_answer;
END $$;

-- Adds jobs to an open workflow. p_owner NULL: an administrator, whose key
-- counts as the workflow's owner's. Parameters and answer as above; also SO013,
-- SO014, SO015 (it is not open), SO011 (there is none).
CREATE OR REPLACE FUNCTION sortie.workflow_add_1(p_key text, p_hash bytea,
	p_bucket int, p_high bigint, p_low bigint, p_owner int,
	p_projects int[], p_workflow bigint, i_class int[], i_kind int[],
	i_priority int[], i_held bool[], i_due timestamptz[], i_name text[],
	i_definition text[], i_tags text[], i_sends text[], i_key text[],
	n_name text[], n_noop bool[], n_any bool[], n_allow bool[],
	n_index int[], e_child int[], e_parent int[], e_cond "char"[],
	x_parent text[], d_site text[], d_path text[], d_name text[],
	d_datatype text[], d_tag text[], d_comment text[], u_item int[],
	u_dataset int[], u_role "char"[], u_tag text[])
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
	g sortie.workflow;
	v_answer json;
	r record;
BEGIN
	SELECT * INTO g FROM sortie.workflow w WHERE w.workflow = p_workflow
		AND sortie.may_see_1(p_owner, p_projects, w.owner_id,
			w.project_id) AND NOT w.deleting;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no workflow %', p_workflow
			USING ERRCODE = 'SO011';
	END IF;
	v_answer := sortie.idempotent_1(g.owner_id, p_key, p_hash);
	IF v_answer IS NOT NULL THEN
		RETURN v_answer;
	END IF;
	SELECT * INTO g FROM sortie.workflow w WHERE w.workflow = p_workflow
	FOR NO KEY UPDATE;
	IF NOT FOUND OR NOT g.open OR g.cancelling IS NOT NULL THEN
		RAISE EXCEPTION 'workflow % %', p_workflow, CASE
			WHEN g.workflow IS NULL THEN 'was deleted'
			WHEN g.ended_at IS NOT NULL THEN 'has ended'
			WHEN g.cancelling IS NOT NULL
				THEN 'is being cancelled'
			ELSE 'is not open' END USING ERRCODE = 'SO015';
	END IF;
	SELECT * INTO r FROM sortie.graph_add_1(p_bucket, p_high, p_low,
		p_workflow, i_class, i_kind, i_priority, i_held, i_due, i_name,
		i_definition, i_tags, i_sends, i_key, n_name, n_noop, n_any,
		n_allow, n_index, e_child, e_parent, e_cond, x_parent, d_site,
		d_path, d_name, d_datatype, d_tag, d_comment, u_item,
		u_dataset, u_role, u_tag);
	PERFORM sortie.workflow_over_1(ARRAY[p_workflow]);
	v_answer := sortie.workflow_answer_1(p_workflow, r.o_first, r.o_class,
		r.o_firing);
	IF p_key IS NOT NULL THEN
		PERFORM sortie.idempotency_keep_1(g.owner_id, p_key, p_hash,
			v_answer);
	END IF;
	RETURN v_answer;
END $$;
