-- Files that injectors found: each version of each is recorded together with
-- what was made of it, or not at all.

-- The newest version that is known of a path, as an answer.
CREATE OR REPLACE FUNCTION sortie.injection_answer_1(p_owner int,
	p_stream text, p_path bytea, p_created bool) RETURNS json
LANGUAGE sql STABLE AS $$
	SELECT json_build_object('created', p_created, 'version', i.version,
		'size', i.size, 'modified_at', sortie.utc_1(i.modified_at),
		'dataset', i.dataset, 'workflow', i.workflow, 'job', i.job)
	FROM sortie.injection i
	WHERE i.owner_id = p_owner AND i.stream = p_stream
		AND i.path = p_path
	ORDER BY i.version DESC LIMIT 1
$$;

-- Takes a version of a file for the caller, who makes something of it and
-- gives that to injection_end_1 in the same transaction. NULL, or the answer
-- when it was taken before. Whoever takes the same at the same time waits for
-- the other's end. Locks the injection, then the dataset of the path.
--     o_dataset   the dataset, ready: a new version of the path, or the newest
--                 one when that can be this file: for the first version, when
--                 it was registered since the file changed, and when the path
--                 is somebody else's
-- SO021: the datatype is not defined. SO022: the version before is not known.
CREATE OR REPLACE FUNCTION sortie.injection_begin_1(p_high bigint, p_low bigint,
	p_owner int, p_project int, p_stream text, p_path text, p_version int,
	p_site text, p_size bigint, p_modified timestamptz,
	p_seen timestamptz, p_complete timestamptz, p_datatype text,
	OUT o_answer json, OUT o_dataset bigint)
LANGUAGE plpgsql AS $$
DECLARE
	v_path bytea := convert_to(p_path, 'UTF8');
	v_newest int;
	v_last bigint;
	v sortie.dataset;
BEGIN
	SELECT coalesce(max(i.version), 0) INTO v_newest
	FROM sortie.injection i
	WHERE i.owner_id = p_owner AND i.stream = p_stream
		AND i.path = v_path;
	IF p_version > v_newest + 1 THEN
		RAISE EXCEPTION 'version % of "%" was not injected', p_version - 1,
			left(p_path, 400) USING ERRCODE = 'SO022';
	END IF;
	IF p_version <= v_newest THEN
		o_answer := sortie.injection_answer_1(p_owner, p_stream,
			v_path, false);
		RETURN;
	END IF;
	PERFORM sortie.datatype_check_1(ARRAY[p_datatype]);
	INSERT INTO sortie.injection (owner_id, stream, path, version, site,
		size, modified_at, seen_at, complete_at)
	VALUES (p_owner, p_stream, v_path, p_version, p_site, p_size,
		p_modified, p_seen, p_complete)
	ON CONFLICT (owner_id, stream, path, version) DO NOTHING;
	IF NOT FOUND THEN
		o_answer := sortie.injection_answer_1(p_owner, p_stream,
			v_path, false);
		RETURN;
	END IF;
	SELECT i.dataset INTO v_last FROM sortie.injection i
	WHERE i.owner_id = p_owner AND i.stream = p_stream
		AND i.path = v_path AND i.version = p_version - 1;
	LOOP
		SELECT * INTO v FROM sortie.dataset d
		WHERE d.site = p_site AND d.path = p_path
		ORDER BY d.version DESC LIMIT 1 FOR UPDATE;
		EXIT WHEN FOUND AND v.state <> 'deleted' AND (p_version = 1
			OR v.owner_id <> p_owner OR v.dataset <> v_last AND (v.state = 'declared'
				OR v.registered_at >= p_modified));
		o_dataset := nextval('sortie.dataset_number');
		INSERT INTO sortie.dataset (dataset, id, owner_id, project_id,
			site, path, version, name, datatype, state, size,
			bytes)
		VALUES (o_dataset, sortie.uuid_1(p_high, p_low, o_dataset),
			p_owner, p_project, p_site, p_path,
			coalesce(v.version, 0) + 1,
			substring(p_path FROM '[^/]*$'), p_datatype, 'ready',
			p_size, sortie.dataset_bytes_1(p_path,
			substring(p_path FROM '[^/]*$'), ''))
		ON CONFLICT (site, path, version) DO NOTHING;
		-- Else somebody was faster: look again.
		IF FOUND THEN
			PERFORM sortie.stored_add_1('d', ARRAY[p_owner], ARRAY[
				sortie.dataset_bytes_1(p_path,
				substring(p_path FROM '[^/]*$'), '')::bigint]);
			PERFORM sortie.owner_store_1(p_owner, 0);
			RETURN;
		END IF;
	END LOOP;
	o_dataset := v.dataset;
	IF v.state IN ('declared', 'missing') AND v.producer IS NULL
	AND v.owner_id = p_owner THEN
		UPDATE sortie.dataset d SET state = 'ready', size = p_size,
			datatype = coalesce(d.datatype, p_datatype),
			updated_at = now()
		WHERE d.dataset = v.dataset;
	END IF;
END $$;

-- What was made of it.
CREATE OR REPLACE FUNCTION sortie.injection_end_1(p_owner int, p_stream text,
	p_path text, p_version int, p_dataset bigint, p_workflow bigint,
	p_job bigint) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
	v_path bytea := convert_to(p_path, 'UTF8');
BEGIN
	UPDATE sortie.injection i
	SET dataset = p_dataset, workflow = p_workflow, job = p_job
	WHERE i.owner_id = p_owner AND i.stream = p_stream
		AND i.path = v_path AND i.version = p_version;
	RETURN sortie.injection_answer_1(p_owner, p_stream, v_path, true);
END $$;

-- A file becomes a workflow. The parameters are those of workflow_create_1
-- (without a repeated request's key: the version is the key), then those of
-- injection_begin_1. Returns that one's answer, with what workflow_create_1
-- says of classes and firing.
CREATE OR REPLACE FUNCTION sortie.injection_workflow_1(p_key text,
	p_hash bytea, p_bucket int, p_high bigint, p_low bigint, p_owner int,
	p_project int, p_header json, i_class int[], i_kind int[],
	i_priority int[], i_held bool[], i_due timestamptz[], i_name text[],
	i_definition text[], i_tags text[], i_sends text[], i_key text[],
	n_name text[], n_noop bool[], n_any bool[], n_allow bool[],
	n_index int[], e_child int[], e_parent int[], e_cond "char"[],
	x_parent text[], d_site text[], d_path text[], d_name text[],
	d_datatype text[], d_tag text[], d_comment text[], u_item int[],
	u_dataset int[], u_role "char"[], u_tag text[],
	p_stream text, p_path text, p_version int, p_site text, p_size bigint,
	p_modified timestamptz, p_seen timestamptz, p_complete timestamptz,
	p_datatype text)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
	v record;
	w json;
BEGIN
	SELECT * INTO v FROM sortie.injection_begin_1(p_high, p_low, p_owner,
		p_project, p_stream, p_path, p_version, p_site, p_size,
		p_modified, p_seen, p_complete, p_datatype);
	IF v.o_answer IS NOT NULL THEN
		RETURN v.o_answer;
	END IF;
	w := sortie.workflow_create_1(NULL, NULL, p_bucket, p_high, p_low,
		p_owner, p_project, p_header, i_class, i_kind, i_priority,
		i_held, i_due, i_name, i_definition, i_tags, i_sends, i_key,
		n_name, n_noop, n_any, n_allow, n_index, e_child, e_parent,
		e_cond, x_parent, d_site, d_path, d_name, d_datatype, d_tag,
		d_comment, u_item, u_dataset, u_role, u_tag);
	RETURN (sortie.injection_end_1(p_owner, p_stream, p_path, p_version,
		v.o_dataset, (w ->> 'number')::bigint, NULL)::jsonb
		|| jsonb_build_object('classes', w -> 'classes',
			'firing', w -> 'firing'))::json;
END $$;

-- A file becomes a job: parameters as for submit_keyed_1, of one item.
CREATE OR REPLACE FUNCTION sortie.injection_job_1(p_key text, p_hash bytea,
	p_bucket int, p_high bigint, p_low bigint, p_owner int,
	p_project int[], i_project int[], i_replicas int[], i_class int[],
	i_kind int[], i_priority int[], i_held bool[], i_due timestamptz[],
	i_name text[], i_definition text[], i_tags text[], i_sends text[],
	i_key text[],
	p_stream text, p_path text, p_version int, p_site text, p_size bigint,
	p_modified timestamptz, p_seen timestamptz, p_complete timestamptz,
	p_datatype text)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
	v record;
	v_job bigint;
BEGIN
	SELECT * INTO v FROM sortie.injection_begin_1(p_high, p_low, p_owner,
		p_project[1], p_stream, p_path, p_version, p_site, p_size,
		p_modified, p_seen, p_complete, p_datatype);
	IF v.o_answer IS NOT NULL THEN
		RETURN v.o_answer;
	END IF;
	v_job := (sortie.submit_keyed_1(NULL, NULL, p_bucket, p_high, p_low,
		p_owner, p_project, i_project, i_replicas, i_class, i_kind,
		i_priority, i_held, i_due, i_name, i_definition, i_tags,
		i_sends, i_key) ->> 'first')::bigint;
	INSERT INTO sortie.dataset_use (number, dataset, role)
	VALUES (v_job, v.o_dataset, 'i')
	ON CONFLICT DO NOTHING;
	RETURN sortie.injection_end_1(p_owner, p_stream, p_path, p_version,
		v.o_dataset, NULL, v_job);
END $$;

-- A page of what was injected, newest first. p_owner NULL: an administrator's
-- view; p_projects: the token's. p_stream, p_path NULL: any; p_states NULL: in
-- any state. o_next: where the next page begins, NULL on the last one; a page
-- may be short: for states at most 1,000 rows are looked at.
CREATE OR REPLACE FUNCTION sortie.injections_list_2(p_owner int,
	p_projects int[], p_below bigint, p_page int, p_stream text,
	p_path text, p_states text[], p_between text, OUT o_items text,
	OUT o_next bigint)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	v_look int := CASE WHEN p_states IS NULL THEN p_page ELSE 1000 END;
	v_looked int;
	v_n int;
	v_last bigint;
BEGIN
	WITH looked AS MATERIALIZED (
		SELECT i.*, d.project_id, CASE WHEN i.workflow IS NULL
			THEN sortie.job_state_1(i.job)::text
			ELSE (SELECT w.state FROM sortie.workflow w
				WHERE w.workflow = i.workflow)::text
			END AS state
		FROM sortie.injection i
		LEFT JOIN sortie.dataset d ON d.dataset = i.dataset
		WHERE i.injection < coalesce(p_below, 9223372036854775807)
			AND (p_owner IS NULL OR i.owner_id = p_owner)
			AND (p_stream IS NULL OR i.stream = p_stream)
			AND (p_path IS NULL
				OR i.path = convert_to(p_path, 'UTF8'))
		ORDER BY i.injection DESC LIMIT v_look
	), fit AS (
		SELECT i.* FROM looked AS i
		WHERE sortie.may_see_1(p_owner, p_projects, i.owner_id,
				i.project_id)
			AND (p_states IS NULL OR i.state = ANY (p_states))
		ORDER BY i.injection DESC LIMIT p_page
	)
	SELECT (SELECT count(*) FROM looked),
		(SELECT min(l.injection) FROM looked AS l), count(*),
		min(i.injection), string_agg(json_build_object(
		'stream', i.stream,
		'path', convert_from(i.path, 'UTF8'), 'version', i.version,
		'site', i.site, 'size', i.size,
		'modified_at', sortie.utc_1(i.modified_at),
		'seen_at', sortie.utc_1(i.seen_at),
		'complete_at', sortie.utc_1(i.complete_at),
		'made_at', sortie.utc_1(i.made_at), 'dataset', i.dataset,
		'workflow', i.workflow, 'job', i.job,
		'state', i.state)::text, p_between ORDER BY i.injection DESC)
	INTO v_looked, v_last, v_n, o_next, o_items
	FROM fit AS i;
	IF v_n < p_page THEN
		o_next := CASE WHEN v_looked = v_look THEN v_last END;
	END IF;
END $$;

-- As injections_list_2, in any state.
CREATE OR REPLACE FUNCTION sortie.injections_list_1(p_owner int,
	p_projects int[], p_below bigint, p_page int, p_stream text,
	p_path text, p_between text, OUT o_items text, OUT o_next bigint)
LANGUAGE sql STABLE AS $$
	SELECT x.o_items, x.o_next
	FROM sortie.injections_list_2(p_owner, p_projects, p_below, p_page,
		p_stream, p_path, NULL, p_between) AS x
$$;
