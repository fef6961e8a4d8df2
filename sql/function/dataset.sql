-- Datasets as people and injectors know them: registering, changing,
-- forgetting, lists and lineage. (What workflows make and what runs report of
-- them is elsewhere.)
--
-- A dataset is one version of what lies at (site, path); the newest version is
-- meant where none is named. Rows are locked in order of site, path.

-- Views as JSON text, keys in the protocol's order, of those that exist.
CREATE OR REPLACE FUNCTION sortie.dataset_views_1(p_dataset bigint[])
RETURNS TABLE (dataset bigint, view json)
LANGUAGE plpgsql STABLE ROWS 100
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	RETURN QUERY
	SELECT d.dataset, json_build_object('number', d.dataset, 'id', d.id,
		'name', d.name, 'path', d.path, 'site', d.site,
		'version', d.version, 'datatype', d.datatype, 'tag', d.tag,
		'comment', d.comment, 'state', d.state, 'size', d.size,
		'checksum', d.checksum, 'workflow', d.workflow,
		'producer', d.producer, 'producer_run', d.producer_run,
		'owner', o.name, 'project', p.name,
		'registered_at', sortie.utc_1(d.registered_at),
		'updated_at', sortie.utc_1(d.updated_at))
	FROM unnest(p_dataset) AS u(dataset)
	JOIN sortie.dataset d ON d.dataset = u.dataset
	JOIN sortie.owner o ON o.owner_id = d.owner_id
	JOIN sortie.project p ON p.project_id = d.project_id;
END $$;

-- SO021: one of these datatypes is not defined. NULLs do not count.
CREATE OR REPLACE FUNCTION sortie.datatype_check_1(p_datatype text[]) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_name text;
BEGIN
	SELECT n INTO v_name FROM unnest(p_datatype) AS n
	WHERE n IS NOT NULL AND NOT EXISTS (SELECT 1
		FROM sortie.datatype t WHERE t.name = n)
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'the datatype "%" is not defined: define it first', v_name
			USING ERRCODE = 'SO021';
	END IF;
END $$;

-- Registers what is there, or what will be (state declared). An item whose
-- path has a live newest version makes none, unless p_new: then that version
-- is told, and becomes ready if it was only declared or missing and no job of
-- ours is to make it. Arrays run parallel; project names may be new.
-- Returns a row for each item: its 1-based index, number, id, version, whether
-- it was created, state.
-- SO020: a path belongs to somebody else. SO021: a datatype is not defined.
-- SO031: too many bytes are stored.
CREATE OR REPLACE FUNCTION sortie.dataset_register_1(p_actor int, p_high bigint,
	p_low bigint, p_new bool, i_project text[], i_site text[],
	i_path text[], i_name text[], i_datatype text[], i_tag text[],
	i_comment text[], i_state text[], i_size bigint[], i_checksum text[])
RETURNS TABLE (item int, number bigint, id uuid, version int, created bool,
	state text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	v record;
	v_old sortie.dataset;
	v_n bigint := 0;
	v_first bigint;
	v_bytes bigint := 0;
BEGIN
	PERFORM sortie.datatype_check_1(i_datatype);
	INSERT INTO sortie.project (name)
	SELECT DISTINCT n FROM unnest(i_project) AS n
	WHERE NOT EXISTS (SELECT 1 FROM sortie.project p WHERE p.name = n)
	ORDER BY n ON CONFLICT (name) DO NOTHING;
	FOR v IN
		SELECT u.*, p.project_id
		FROM unnest(i_project, i_site, i_path, i_name, i_datatype,
			i_tag, i_comment, i_state, i_size, i_checksum)
			WITH ORDINALITY AS u(project, site, path, name,
			datatype, tag, comment, state, size, checksum, ord)
		JOIN sortie.project p ON p.name = u.project
		ORDER BY u.site, u.path, u.ord
	LOOP
		LOOP
			SELECT * INTO v_old FROM sortie.dataset d
			WHERE d.site = v.site AND d.path = v.path
			ORDER BY d.version DESC LIMIT 1 FOR UPDATE;
			IF v_old.owner_id <> p_actor
			AND v_old.state <> 'deleted' THEN
				RAISE EXCEPTION 'the path "%" belongs to somebody else''s dataset', left(v.path, 400)
					USING ERRCODE = 'SO020';
			END IF;
			created := v_old.dataset IS NULL OR p_new
				OR v_old.state = 'deleted';
			EXIT WHEN NOT created;
			number := nextval('sortie.dataset_number');
			id := sortie.uuid_1(p_high, p_low, number);
			state := v.state;
			version := coalesce(v_old.version, 0) + 1;
			INSERT INTO sortie.dataset (dataset, id, owner_id,
				project_id, site, path, version, name,
				datatype, tag, comment, state, size, checksum,
				bytes)
			VALUES (number, id, p_actor, v.project_id, v.site,
				v.path, version, v.name, v.datatype, v.tag,
				v.comment, v.state, v.size, v.checksum,
				sortie.dataset_bytes_1(v.path, v.name,
				v.comment))
			ON CONFLICT (site, path, version) DO NOTHING;
			-- Else somebody was faster: look again.
			EXIT WHEN FOUND;
		END LOOP;
		IF created THEN
			v_n := v_n + 1;
			v_first := least(v_first, number);
			v_bytes := v_bytes + sortie.dataset_bytes_1(v.path,
				v.name, v.comment);
		ELSE
			number := v_old.dataset;
			id := v_old.id;
			version := v_old.version;
			state := v_old.state;
			IF v.state = 'ready' AND v_old.producer IS NULL
			AND v_old.state IN ('declared', 'missing') THEN
				UPDATE sortie.dataset d SET state = 'ready',
					size = coalesce(v.size, d.size),
					checksum = coalesce(v.checksum,
						d.checksum),
					updated_at = now()
				WHERE d.dataset = v_old.dataset;
				state := 'ready';
			END IF;
		END IF;
		item := v.ord;
		RETURN NEXT;
	END LOOP;
	IF v_n > 0 THEN
		PERFORM sortie.stored_add_1('d', ARRAY[p_actor],
			ARRAY[v_bytes]);
		PERFORM sortie.owner_store_1(p_actor, 0);
		INSERT INTO sortie.event (kind, owner_id, detail)
		VALUES ('datasets registered', p_actor, json_build_object(
			'count', v_n, 'first', v_first));
	END IF;
END $$;

-- The dataset that a reference means: by number, by number and UUID, or by
-- site and path (the newest version). NULL when there is none that the asker
-- may see.
CREATE OR REPLACE FUNCTION sortie.dataset_ref_1(p_owner int, p_projects int[],
	p_number bigint, p_id uuid, p_site text, p_path text) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
	v sortie.dataset;
BEGIN
	IF p_path IS NULL THEN
		SELECT * INTO v FROM sortie.dataset d
		WHERE d.dataset = p_number AND (p_id IS NULL OR d.id = p_id);
	ELSE
		SELECT * INTO v FROM sortie.dataset d
		WHERE d.site = p_site AND d.path = p_path
		ORDER BY d.version DESC LIMIT 1;
	END IF;
	IF sortie.may_see_1(p_owner, p_projects, v.owner_id, v.project_id) THEN
		RETURN v.dataset;
	END IF;
	RETURN NULL;
END $$;

-- Changes what is known of a dataset; p_set has those of comment, tag,
-- datatype, state, size and checksum that change. False: there is none.
CREATE OR REPLACE FUNCTION sortie.dataset_adjust_1(p_actor int, p_dataset bigint,
	p_set json) RETURNS bool
LANGUAGE plpgsql AS $$
DECLARE
	v_state text;
	v_owner int;
	v_bytes int;
	v_new int;
BEGIN
	SELECT d.state, d.owner_id, d.bytes INTO v_state, v_owner, v_bytes
	FROM sortie.dataset d WHERE d.dataset = p_dataset FOR UPDATE;
	IF NOT FOUND THEN
		RETURN false;
	ELSIF v_state = 'deleted' THEN
		RAISE EXCEPTION 'dataset % is deleted: register it again', p_dataset
			USING ERRCODE = 'SO022';
	END IF;
	PERFORM sortie.datatype_check_1(ARRAY[p_set ->> 'datatype']);
	UPDATE sortie.dataset d
	SET comment = coalesce(p_set ->> 'comment', d.comment),
		tag = coalesce(p_set ->> 'tag', d.tag),
		datatype = coalesce(p_set ->> 'datatype', d.datatype),
		state = coalesce(p_set ->> 'state', d.state),
		size = coalesce((p_set ->> 'size')::bigint, d.size),
		checksum = coalesce(p_set ->> 'checksum', d.checksum),
		bytes = CASE WHEN d.bytes IS NOT NULL
			THEN sortie.dataset_bytes_1(d.path, d.name,
				coalesce(p_set ->> 'comment', d.comment)) END,
		updated_at = now()
	WHERE d.dataset = p_dataset
	RETURNING d.bytes INTO v_new;
	IF v_new <> v_bytes THEN
		PERFORM sortie.stored_add_1('d', ARRAY[v_owner],
			ARRAY[(v_new - v_bytes)::bigint]);
	END IF;
	IF v_new > v_bytes THEN
		PERFORM sortie.owner_store_1(v_owner, 0);
	END IF;
	INSERT INTO sortie.event (kind, owner_id, detail)
	VALUES ('dataset adjusted', p_actor, json_build_object(
		'dataset', p_dataset, 'set', p_set));
	RETURN true;
END $$;

-- As servers call it that do not say who asks.
CREATE OR REPLACE FUNCTION sortie.dataset_delete_1(p_actor int, p_dataset bigint)
RETURNS bool LANGUAGE sql AS $$
	SELECT sortie.dataset_delete_2(p_actor, p_actor, '{}', p_dataset)
$$;

-- Marks a dataset as deleted: Sortie forgets it, the file is nobody's
-- business here. False: there is none. SO022: a job that has not ended uses
-- it; it is named if whoever asks (p_owner, p_projects) may see it.
CREATE OR REPLACE FUNCTION sortie.dataset_delete_2(p_actor int, p_owner int,
	p_projects int[], p_dataset bigint)
RETURNS bool
LANGUAGE plpgsql AS $$
DECLARE
	v_state text;
	v_job text;
	v_owner int;
	v_bytes bigint;
BEGIN
	SELECT d.state, d.owner_id, d.bytes INTO v_state, v_owner, v_bytes
	FROM sortie.dataset d WHERE d.dataset = p_dataset FOR UPDATE;
	IF NOT FOUND OR v_state = 'deleted' THEN
		RETURN v_state IS NOT NULL;
	END IF;
	SELECT CASE WHEN sortie.may_touch_1(j.kind_id, p_owner, p_projects)
		THEN 'job ' || u.number ELSE 'a job' END INTO v_job
	FROM sortie.dataset_use u
	JOIN sortie.job j ON j.number = u.number
	WHERE u.dataset = p_dataset AND NOT EXISTS (SELECT 1
		FROM sortie.ended e WHERE e.number = u.number)
	ORDER BY 1 DESC LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'dataset % is used by %, which has not ended',
			p_dataset, v_job USING ERRCODE = 'SO022';
	END IF;
	UPDATE sortie.dataset d SET state = 'deleted', updated_at = now()
	WHERE d.dataset = p_dataset;
	PERFORM sortie.stored_add_1('d', ARRAY[v_owner], ARRAY[-v_bytes]);
	INSERT INTO sortie.event (kind, owner_id, detail)
	VALUES ('dataset deleted', p_actor, json_build_object(
		'dataset', p_dataset));
	RETURN true;
END $$;

-- One page of a list: numbers, newest first, and where the next page begins
-- (NULL: this is the last). NULL means any; p_name is a part of the name,
-- p_prefix the path's beginning. At most 20,000 rows are read: then the page
-- ends, short or empty, with a next.
CREATE OR REPLACE FUNCTION sortie.datasets_find_1(p_owner int, p_projects int[],
	p_below bigint, p_page int, p_states text[], p_datatype text,
	p_name text, p_prefix text, p_workflow bigint, p_producer bigint,
	p_tag text, p_site text, p_owner_name text, p_project text,
	OUT numbers bigint[], OUT below_next bigint)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	v_below bigint := coalesce(p_below, 9223372036854775807);
	v_owner int := p_owner;
	v_project int;
	v_used bigint[];
BEGIN
	numbers := '{}';
	IF p_owner_name IS NOT NULL THEN
		SELECT o.owner_id INTO v_owner FROM sortie.owner o
		WHERE o.name = p_owner_name
			AND (p_owner IS NULL OR o.owner_id = p_owner);
		IF NOT FOUND THEN
			RETURN;
		END IF;
	END IF;
	IF p_project IS NOT NULL THEN
		SELECT p.project_id INTO v_project FROM sortie.project p
		WHERE p.name = p_project;
		IF NOT FOUND THEN
			RETURN;
		END IF;
	END IF;
	IF p_workflow IS NOT NULL THEN
		v_used := ARRAY(SELECT s.dataset
			FROM (SELECT d.dataset FROM sortie.dataset d
				WHERE d.workflow = p_workflow
					AND d.dataset < v_below
				UNION
				SELECT u.dataset FROM sortie.node n
				JOIN sortie.dataset_use u
					ON u.number = n.number
				WHERE n.workflow = p_workflow
					AND u.dataset < v_below) AS s
			ORDER BY s.dataset DESC LIMIT 20001);
	END IF;
	SELECT coalesce(array_agg(s.dataset), '{}') INTO numbers
	FROM (SELECT d.dataset
		FROM (SELECT x.* FROM sortie.dataset x
			WHERE x.dataset < v_below
			AND (v_owner IS NULL OR x.owner_id = v_owner)
			AND (v_used IS NULL OR x.dataset = ANY (v_used))
			AND (p_producer IS NULL OR x.producer = p_producer)
			ORDER BY x.dataset DESC LIMIT 20000) AS d
		WHERE sortie.may_see_1(NULL, p_projects, d.owner_id,
			d.project_id)
		AND (p_states IS NULL OR d.state = ANY (p_states))
		AND (p_datatype IS NULL OR d.datatype = p_datatype)
		AND (p_name IS NULL
			OR strpos(lower(d.name), lower(p_name)) > 0)
		AND (p_prefix IS NULL OR starts_with(d.path, p_prefix))
		AND (p_tag IS NULL OR d.tag = p_tag)
		AND (p_site IS NULL OR d.site = p_site)
		AND (v_project IS NULL OR d.project_id = v_project)
		LIMIT p_page + 1) AS s;
	IF cardinality(numbers) > p_page THEN
		numbers := numbers[1 : p_page];
		below_next := numbers[p_page];
		RETURN;
	END IF;
	SELECT x.dataset INTO below_next FROM sortie.dataset x
	WHERE x.dataset < v_below
		AND (v_owner IS NULL OR x.owner_id = v_owner)
		AND (v_used IS NULL OR x.dataset = ANY (v_used))
		AND (p_producer IS NULL OR x.producer = p_producer)
	ORDER BY x.dataset DESC OFFSET 19999 LIMIT 1;
END $$;

-- What a dataset was made from (p_up) or what was made from it, the nearest
-- first, at most p_depth steps and 1,000 datasets: a step goes from a dataset
-- over the job that wrote (or read) it to what that job read (or wrote).
CREATE OR REPLACE FUNCTION sortie.dataset_lineage_1(p_owner int, p_projects int[],
	p_dataset bigint, p_depth int, p_up bool) RETURNS json
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_from "char" := CASE WHEN p_up THEN 'o' ELSE 'i' END;
	v_to "char" := CASE WHEN p_up THEN 'i' ELSE 'o' END;
	v_seen bigint[] := ARRAY[p_dataset];
	v_layer bigint[] := ARRAY[p_dataset];
	v_all bigint[] := '{}';
	v_depth int[] := '{}';
BEGIN
	FOR v_d IN 1 .. p_depth LOOP
		SELECT coalesce(array_agg(s.dataset), '{}') INTO v_layer
		FROM (SELECT DISTINCT b.dataset
			FROM unnest(v_layer) AS l(dataset)
			JOIN sortie.dataset_use a ON a.dataset = l.dataset
				AND a.role = v_from
			JOIN sortie.dataset_use b ON b.number = a.number
				AND b.role = v_to
			JOIN sortie.dataset d ON d.dataset = b.dataset
			WHERE NOT b.dataset = ANY (v_seen)
			AND sortie.may_see_1(p_owner, p_projects, d.owner_id,
				d.project_id)
			ORDER BY b.dataset
			LIMIT 1000 - cardinality(v_all)) AS s;
		EXIT WHEN v_layer = '{}';
		v_seen := v_seen || v_layer;
		v_all := v_all || v_layer;
		v_depth := v_depth || array_fill(v_d,
			ARRAY[cardinality(v_layer)]);
		EXIT WHEN cardinality(v_all) >= 1000;
	END LOOP;
	RETURN (SELECT coalesce(json_agg((v.view::jsonb
			|| jsonb_build_object('depth', v_depth[array_position(
				v_all, v.dataset)]))
		ORDER BY array_position(v_all, v.dataset)), '[]')
		FROM sortie.dataset_views_1(v_all) AS v);
END $$;
