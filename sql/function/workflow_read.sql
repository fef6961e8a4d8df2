-- Views of workflows: lists, one with its counts, its jobs, its graph.

-- What changes when a workflow's state or counters do.
CREATE OR REPLACE FUNCTION sortie.workflow_seen_1(g sortie.workflow) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT g.generation || '-' || g.state || '-' || g.n_jobs || '-'
		|| g.n_ended || '-' || g.n_bad || CASE WHEN g.cancelling
		IS NOT NULL THEN '-c' ELSE '' END || CASE WHEN g.open
		THEN '-o' ELSE '' END
$$;

-- A workflow as JSON text. p_whole: with the header and counts by state, which
-- reads all its jobs.
CREATE OR REPLACE FUNCTION sortie.workflow_view_1(p_workflow bigint,
	p_whole bool) RETURNS text
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_counts json;
BEGIN
	IF p_whole THEN
		-- job_state_1 written out: a seventh of its time.
		SELECT json_object_agg(s.state, s.n ORDER BY s.state)
		INTO v_counts
		FROM (SELECT coalesce((SELECT e.state
				FROM sortie.ended e WHERE e.number = n.number),
				(SELECT CASE w.why WHEN 'held' THEN 'held'
					ELSE 'waiting' END::sortie.job_state
				FROM sortie.waiting w
				WHERE w.number = n.number),
				(SELECT CASE WHEN l.running THEN 'running'
					ELSE 'dispatched' END::sortie.job_state
				FROM sortie.live l WHERE l.number = n.number),
				'defined') AS state, count(*) AS n
			FROM sortie.node n WHERE n.workflow = p_workflow
			GROUP BY 1) AS s;
	END IF;
	RETURN (SELECT json_strip_nulls(json_build_object(
		'number', g.workflow,
		'id', g.id,
		'name', nullif(g.name, ''),
		'description', nullif(g.description, ''),
		'dag', g.dag,
		'dag_version', g.dag_version,
		'owner', o.name,
		'project', p.name,
		'state', g.state,
		'open', g.open,
		'close', CASE WHEN g.open AND g.close_auto THEN 'auto' END,
		'cancelling', CASE WHEN g.cancelling IS NOT NULL
			AND g.ended_at IS NULL THEN true END,
		'reason', CASE WHEN g.cancelling IS NOT NULL
			THEN nullif(g.cancel_reason, '') END,
		'on_failure', g.on_failure,
		'max_running', g.max_running,
		'generation', g.generation,
		'jobs', g.n_jobs,
		'ended', g.n_ended,
		'bad', g.n_bad,
		'states', v_counts,
		'header', CASE WHEN p_whole AND g.header::text <> '{}'
			THEN g.header END,
		'callback', CASE WHEN p_whole THEN g.callback END,
		'created_at', sortie.utc_1(g.created_at),
		'started_at', sortie.utc_1(g.started_at),
		'ended_at', sortie.utc_1(g.ended_at)))::text
	FROM sortie.workflow g
	JOIN sortie.owner o ON o.owner_id = g.owner_id
	JOIN sortie.project p ON p.project_id = g.project_id
	WHERE g.workflow = p_workflow);
END $$;

-- A page of the list, newest first. NULL means any. At most 20,000 rows are
-- read; below_next says where to go on.
CREATE OR REPLACE FUNCTION sortie.workflows_find_1(p_owner int, p_projects int[],
	p_below bigint, p_page int, p_state text, p_name text, p_dag text,
	p_owner_name text, p_project text, p_after timestamptz,
	p_before timestamptz, OUT numbers bigint[], OUT below_next bigint)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	v_project int;
	v_owner int := p_owner;
	v_read int;
	v_last bigint;
BEGIN
	numbers := '{}';
	IF p_project IS NOT NULL THEN
		SELECT p.project_id INTO v_project FROM sortie.project p
		WHERE p.name = p_project;
		IF NOT FOUND THEN
			RETURN;
		END IF;
	END IF;
	IF p_owner_name IS NOT NULL THEN
		SELECT o.owner_id INTO v_owner FROM sortie.owner o
		WHERE o.name = p_owner_name AND coalesce(p_owner, o.owner_id)
			= o.owner_id;
		IF NOT FOUND THEN
			RETURN;
		END IF;
	END IF;
	WITH r AS MATERIALIZED (
		SELECT g.* FROM sortie.workflow g
		WHERE (v_owner IS NULL OR g.owner_id = v_owner)
		AND (p_below IS NULL OR g.workflow < p_below)
		ORDER BY g.workflow DESC LIMIT 20000),
	m AS MATERIALIZED (
		SELECT r.workflow FROM r
		WHERE NOT r.deleting
		AND (coalesce(p_projects, '{}') = '{}'
			OR r.project_id = ANY (p_projects))
		AND (v_project IS NULL OR r.project_id = v_project)
		AND (p_state IS NULL
			OR r.state = ANY (string_to_array(p_state, ',')))
		AND (p_dag IS NULL OR r.dag = p_dag)
		AND (p_name IS NULL
			OR strpos(lower(r.name), lower(p_name)) > 0)
		AND (p_after IS NULL OR r.created_at >= p_after)
		AND (p_before IS NULL OR r.created_at < p_before)
		ORDER BY r.workflow DESC LIMIT p_page + 1)
	SELECT (SELECT array_agg(m.workflow ORDER BY m.workflow DESC) FROM m),
		count(*), min(r.workflow)
	INTO numbers, v_read, v_last FROM r;
	numbers := coalesce(numbers, '{}');
	IF cardinality(numbers) > p_page THEN
		numbers := numbers[1 : p_page];
		below_next := numbers[p_page];
	ELSIF v_read = 20000 THEN
		below_next := v_last;
	END IF;
END $$;

-- Nodes of a workflow as JSON texts, in order of their numbers.
CREATE OR REPLACE FUNCTION sortie.node_views_1(p_number bigint[])
RETURNS TABLE (number bigint, view text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT n.number, json_strip_nulls(json_build_object(
		'name', n.name,
		'job', n.number,
		'id', j.id,
		'state', CASE WHEN e.number IS NOT NULL THEN e.state::text
			WHEN l.number IS NOT NULL THEN CASE WHEN l.running
				THEN 'running' ELSE 'dispatched' END
			WHEN w.number IS NOT NULL THEN CASE w.why
				WHEN 'held' THEN 'held' ELSE 'waiting' END
			ELSE 'defined' END,
		'reason', coalesce(nullif(e.reason, ''), CASE w.why
			WHEN 'after' THEN CASE WHEN n.open > 0
				THEN 'waits for others'
				ELSE 'its workflow is held' END
			WHEN 'share' THEN 'its workflow runs its maximum of jobs'
			WHEN 'gate' THEN 'its project runs its maximum of jobs'
			WHEN 'time' THEN 'not before ' || sortie.utc_1(w.due)
			END),
		'noop', CASE WHEN n.noop THEN true END,
		'allow_failure', CASE WHEN n.allow_failure THEN true END,
		'waits_for', CASE WHEN n.open > 0 AND w.why = 'after'
			THEN n.open END,
		'exit_code', e.exit_code,
		'signal', e.signal,
		'attempts', coalesce(l.attempt, r.attempt),
		'started_at', sortie.utc_1(coalesce(l.started_at,
			CASE WHEN e.number IS NOT NULL
				THEN r.started_at END)),
		'ended_at', sortie.utc_1(e.ended_at)))::text
	FROM unnest(p_number) AS u(number)
	JOIN sortie.node n ON n.number = u.number
	JOIN sortie.job j ON j.number = n.number
	LEFT JOIN sortie.live l ON l.number = n.number
	LEFT JOIN sortie.waiting w ON w.number = n.number
	LEFT JOIN sortie.ended e ON e.number = n.number
	LEFT JOIN LATERAL (SELECT x.attempt, x.started_at FROM sortie.run x
		WHERE x.number = n.number
		ORDER BY x.attempt DESC LIMIT 1) AS r ON true
	ORDER BY n.number;
END $$;

-- The whole graph of a workflow as JSON text: its name, nodes with their states, edges
-- with their conditions (fired: absent while untold), datasets with who makes and
-- who reads them. Nodes are named.
CREATE OR REPLACE FUNCTION sortie.workflow_graph_1(p_workflow bigint)
RETURNS text LANGUAGE sql STABLE AS $$
	SELECT json_build_object('workflow', p_workflow, 'name', (
		SELECT w.name FROM sortie.workflow w
		WHERE w.workflow = p_workflow),
	'nodes', coalesce((
		SELECT json_agg(json_strip_nulls(json_build_object('name',
			n.name, 'job', n.number, 'state', s.state, 'noop',
			CASE WHEN n.noop THEN true END, 'exit_code',
			e.exit_code)) ORDER BY n.number)
		FROM sortie.node n
		CROSS JOIN LATERAL (SELECT sortie.job_state_1(n.number)
			AS state) AS s
		LEFT JOIN sortie.ended e ON e.number = n.number
		WHERE n.workflow = p_workflow), '[]'),
	'edges', coalesce((
		SELECT json_agg(json_strip_nulls(json_build_object('from',
			a.name, 'to', b.name, 'on', CASE d.cond
			WHEN 's' THEN 'success' WHEN 'f' THEN 'failure'
			ELSE 'always' END, 'fired', d.met))
			ORDER BY d.parent, d.child, d.cond)
		FROM sortie.node a
		JOIN sortie.edges_1() AS d ON d.parent = a.number
		JOIN sortie.node b ON b.number = d.child
		WHERE a.workflow = p_workflow), '[]'),
	'datasets', coalesce((
		SELECT json_agg(json_strip_nulls(json_build_object('dataset',
			d.dataset, 'path', d.path, 'name', d.name, 'site',
			nullif(d.site, ''), 'version', d.version, 'state',
			d.state, 'size', d.size, 'tags', x.tags, 'from',
			x.made, 'to', x.used)) ORDER BY d.dataset)
		FROM (SELECT u.dataset, array_agg(DISTINCT u.tag)
				FILTER (WHERE u.tag <> '') AS tags,
				array_agg(DISTINCT n.name)
				FILTER (WHERE u.role = 'o') AS made,
				array_agg(DISTINCT n.name)
				FILTER (WHERE u.role = 'i') AS used
			FROM sortie.node n
			JOIN sortie.dataset_use u ON u.number = n.number
			WHERE n.workflow = p_workflow
			GROUP BY u.dataset) AS x
		JOIN sortie.dataset d ON d.dataset = x.dataset), '[]'))::text
$$;

-- The parents that a job still waits for, the first 20.
CREATE OR REPLACE FUNCTION sortie.node_parents_1(p_child bigint) RETURNS json
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	RETURN (SELECT json_agg(json_build_object('job', s.parent, 'name',
			s.name, 'state', sortie.job_state_1(s.parent))
			ORDER BY s.parent)
		FROM (SELECT DISTINCT d.parent, n.name
			FROM sortie.edges_1() AS d
			JOIN sortie.node n ON n.number = d.parent
			WHERE d.child = p_child AND d.met IS NULL
			ORDER BY d.parent LIMIT 20) AS s);
END $$;

-- Why a job of a graph waits, in one sentence.
CREATE OR REPLACE FUNCTION sortie.node_waits_1(p_number bigint) RETURNS text
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	g sortie.workflow;
	m sortie.node;
	v_n bigint;
	v_open bigint;
	v_list text;
BEGIN
	SELECT * INTO m FROM sortie.node n WHERE n.number = p_number;
	SELECT * INTO g FROM sortie.workflow w WHERE w.workflow = m.workflow;
	IF g.cancelling IS NOT NULL AND g.ended_at IS NULL THEN
		RETURN format('its workflow %s is being cancelled', g.workflow);
	ELSIF m.open > 0 AND NOT (m.any_of AND m.met) THEN
		SELECT count(DISTINCT d.parent), count(DISTINCT d.parent)
			FILTER (WHERE d.met IS NULL)
		INTO v_n, v_open FROM sortie.edges_1() AS d
		WHERE d.child = p_number;
		SELECT string_agg(format('%s (%s)', s.parent,
			sortie.job_state_1(s.parent)), ', ' ORDER BY s.parent)
		INTO v_list
		FROM (SELECT DISTINCT d.parent FROM sortie.edges_1() AS d
			WHERE d.child = p_number AND d.met IS NULL
			ORDER BY d.parent LIMIT 5) AS s;
		RETURN format('it waits for %s%s of %s %s: %s%s',
			CASE WHEN m.any_of THEN 'one of ' ELSE '' END, v_open,
			v_n, CASE v_n WHEN 1 THEN 'job' ELSE 'jobs' END,
			v_list, CASE WHEN v_open > 5 THEN ' and others'
			ELSE '' END);
	ELSIF g.state = 'held' THEN
		RETURN format('its workflow %s is held: `sortie workflow start '
			'%s` starts it', g.workflow, g.workflow);
	END IF;
	RETURN format('its workflow %s has its maximum of %s jobs queued or '
		'running', g.workflow, g.max_running);
END $$;

-- The numbers of a workflow's jobs as ranges: their beginnings, or their ends.
CREATE OR REPLACE FUNCTION sortie.node_ranges_1(p_workflow bigint, p_end bool)
RETURNS bigint[] LANGUAGE sql STABLE AS $$
	SELECT coalesce(array_agg(CASE WHEN p_end THEN r.hi ELSE r.lo END
		ORDER BY r.lo), '{0}')
	FROM (SELECT min(s.number) AS lo, max(s.number) AS hi
		FROM (SELECT n.number, n.number - row_number() OVER (
				ORDER BY n.number) AS run
			FROM sortie.node n WHERE n.workflow = p_workflow) AS s
		GROUP BY s.run) AS r
$$;
