-- What the reading statements share: times, views as JSON, and the way
-- in which lists find their jobs.
--
-- Authorisation stands in every statement: p_owner is the asking owner, NULL
-- for administrators; p_projects are the ids the token is bound to, empty for
-- all.  What somebody may not see does not exist for him.

-- RFC 3339 in UTC, milliseconds.
CREATE OR REPLACE FUNCTION sortie.utc_1(p timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT to_char(p AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- "512 B", "1.5 KiB", "2 GiB", never rounded up, as lib/units.h writes bytes.
CREATE OR REPLACE FUNCTION sortie.bytes_1(p bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT trim_scale(div(p * 10.0, 1024.0 ^ i) / 10) || ' '
		|| (ARRAY['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'])[i + 1]
	FROM generate_series(0, 6) AS i
	WHERE p < 1024.0 ^ (i + 1)
	ORDER BY i LIMIT 1
$$;

-- The kinds that somebody may see and asks for; NULL = all there are.
CREATE OR REPLACE FUNCTION sortie.kinds_1(p_owner int, p_projects int[],
	p_owner_name text, p_project text, p_jobtype text) RETURNS int[]
LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN p_owner IS NULL AND coalesce(p_projects, '{}') = '{}'
		AND p_owner_name IS NULL AND p_project IS NULL
		AND p_jobtype IS NULL THEN NULL
	ELSE (SELECT coalesce(array_agg(k.kind_id), '{}')
		FROM sortie.kind k
		JOIN sortie.owner o ON o.owner_id = k.owner_id
		JOIN sortie.project p ON p.project_id = k.project_id
		WHERE (p_owner IS NULL OR k.owner_id = p_owner)
		AND (coalesce(p_projects, '{}') = '{}'
			OR k.project_id = ANY (p_projects))
		AND (p_owner_name IS NULL OR o.name = p_owner_name)
		AND (p_project IS NULL OR p.name = p_project)
		AND (p_jobtype IS NULL OR k.jobtype = p_jobtype)) END
$$;

-- True when somebody may see objects of this owner and project.
CREATE OR REPLACE FUNCTION sortie.may_see_1(p_owner int, p_projects int[], o int, p int)
RETURNS bool LANGUAGE sql IMMUTABLE AS $$
	SELECT (p_owner IS NULL OR p_owner = o)
		AND (coalesce(p_projects, '{}') = '{}' OR p = ANY (p_projects))
$$;

-- Job views as JSON text, of those numbers that exist, whoever owns them.
CREATE OR REPLACE FUNCTION sortie.job_views_1(p_number bigint[])
RETURNS TABLE (number bigint, view text, ended bool)
LANGUAGE plpgsql STABLE ROWS 100
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	RETURN QUERY
	SELECT j.number, json_strip_nulls(json_build_object(
		'number', j.number,
		'id', j.id,
		'name', nullif(j.name, ''),
		'description', d.def ->> 'description',
		'comment', d.def ->> 'comment',
		'key', (SELECT y.key FROM sortie.job_key y
			WHERE y.number = j.number LIMIT 1),
		'project', p.name,
		'owner', o.name,
		'jobtype', nullif(k.jobtype, ''),
		'site', nullif(c.site, ''),
		'priority', j.priority,
		'state', CASE WHEN e.number IS NOT NULL THEN e.state::text
			WHEN l.number IS NOT NULL THEN CASE WHEN l.running
				THEN 'running' ELSE 'dispatched' END
			WHEN w.number IS NOT NULL THEN CASE w.why
				WHEN 'held' THEN 'held' ELSE 'waiting' END
			ELSE 'defined' END,
		'reason', coalesce(nullif(e.reason, ''), nullif(w.reason, ''),
			CASE w.why WHEN 'time' THEN 'not before '
				|| sortie.utc_1(w.due)
			WHEN 'gate' THEN
				'its project runs its maximum of jobs'
			WHEN 'after' THEN CASE WHEN n.open > 0
				THEN 'waits for others'
				ELSE 'its workflow is held' END
			WHEN 'share' THEN
				'its workflow runs its maximum of jobs' END),
		'exit_code', e.exit_code,
		'signal', e.signal,
		'attempts', coalesce(l.attempt, r.attempt, 0),
		'index', j.idx,
		'submitted_at', sortie.utc_1(j.submitted_at),
		'started_at', sortie.utc_1(coalesce(l.started_at,
			CASE WHEN e.number IS NOT NULL
				THEN r.started_at END)),
		'ended_at', sortie.utc_1(e.ended_at),
		'pilot', CASE WHEN i.pilot IS NOT NULL THEN json_build_object(
			'number', i.pilot, 'id', i.id, 'host', i.host) END,
		'tags', (SELECT json_object_agg(t.name, t.value
				ORDER BY t.name)
			FROM sortie.job_tag t WHERE t.number = j.number),
		'cancelling', CASE WHEN l.cancelling THEN true END,
		'workflow', CASE WHEN n.number IS NOT NULL THEN
			json_build_object('number', n.workflow, 'name', (SELECT
			nullif(g.name, '') FROM sortie.workflow g
			WHERE g.workflow = n.workflow), 'node', n.name) END,
		'waits_for', CASE WHEN n.open > 0 AND w.number IS NOT NULL
			THEN sortie.node_parents_1(j.number) END))::text,
		e.number IS NOT NULL
	FROM unnest(p_number) AS u(number)
	JOIN sortie.job j ON j.number = u.number
	JOIN sortie.kind k ON k.kind_id = j.kind_id
	JOIN sortie.owner o ON o.owner_id = k.owner_id
	JOIN sortie.project p ON p.project_id = k.project_id
	LEFT JOIN sortie.class c ON c.class_id = j.class_id
	LEFT JOIN sortie.live l ON l.number = j.number
	LEFT JOIN sortie.waiting w ON w.number = j.number
	LEFT JOIN sortie.ended e ON e.number = j.number
	LEFT JOIN sortie.node n ON n.number = j.number
	LEFT JOIN LATERAL (SELECT x.attempt, x.started_at, x.pilot
		FROM sortie.run x WHERE x.number = j.number
		ORDER BY x.attempt DESC LIMIT 1) AS r ON true
	LEFT JOIN sortie.pilot i ON i.pilot = coalesce(l.pilot,
		CASE WHEN e.number IS NOT NULL THEN r.pilot END)
	CROSS JOIN LATERAL (SELECT CASE WHEN strpos(j.definition,
			'"description":') > 0
			OR strpos(j.definition, '"comment":') > 0
		THEN j.definition::json END AS def OFFSET 0) AS d;
END $$;

-- The runs of a job, the live one included, oldest first; of a job that was
-- tried more than 1,000 times the last 1,000. Of a stream: size is what is
-- known of it, stored what is there; all that will ever come of a complete one
-- is there.
CREATE OR REPLACE FUNCTION sortie.run_views_1(p_number bigint) RETURNS json
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	RETURN (SELECT coalesce(json_agg(json_strip_nulls(json_build_object(
		'attempt', a.attempt,
		'run', lpad(to_hex(a.run), 16, '0'),
		'state', a.state,
		'reason', nullif(a.reason, ''),
		'exit_code', a.exit_code,
		'signal', a.signal,
		'pilot', CASE WHEN i.pilot IS NOT NULL THEN json_build_object(
			'number', i.pilot, 'id', i.id, 'host', i.host) END,
		'granted_at', sortie.utc_1(a.granted_at),
		'started_at', sortie.utc_1(a.started_at),
		'ended_at', sortie.utc_1(a.ended_at),
		'wall_ms', a.wall_ms,
		'user_ms', a.user_ms,
		'system_ms', a.system_ms,
		'max_rss', a.max_rss,
		'stdout', json_build_object(
			'size', greatest(a.stdout_size, o.reach_0),
			'stored', o.stored_0,
			'left_out', CASE WHEN a.ended_at IS NOT NULL
				AND a.incomplete & 1 = 0
				THEN greatest(a.stdout_size, o.reach_0)
				ELSE o.reach_0 END - o.stored_0,
			'complete', a.ended_at IS NOT NULL
				AND a.incomplete & 1 = 0),
		'stderr', json_build_object(
			'size', greatest(a.stderr_size, o.reach_1),
			'stored', o.stored_1,
			'left_out', CASE WHEN a.ended_at IS NOT NULL
				AND a.incomplete & 2 = 0
				THEN greatest(a.stderr_size, o.reach_1)
				ELSE o.reach_1 END - o.stored_1,
			'complete', a.ended_at IS NOT NULL
				AND a.incomplete & 2 = 0)))
		ORDER BY a.attempt), '[]')
	FROM (SELECT r.attempt, r.run, r.state::text, r.reason, r.exit_code,
			r.signal, r.pilot, r.granted_at, r.started_at,
			r.ended_at, r.wall_ms, r.user_ms, r.system_ms,
			r.max_rss, r.stdout_size, r.stderr_size, r.incomplete
		FROM sortie.run r WHERE r.number = p_number
		UNION ALL
		SELECT l.attempt, l.run, CASE WHEN l.running THEN 'running'
				ELSE 'dispatched' END, '', NULL, NULL, l.pilot,
			l.granted_at, l.started_at, NULL, NULL, NULL, NULL,
			NULL, 0, 0, 0
		FROM sortie.live l WHERE l.number = p_number
		ORDER BY attempt DESC LIMIT 1000) AS a
	LEFT JOIN sortie.pilot i ON i.pilot = a.pilot
	CROSS JOIN LATERAL (
		SELECT coalesce(sum(o.len) FILTER (WHERE o.stream = 0), 0)
				AS stored_0,
			coalesce(max(o.at + o.len) FILTER (WHERE o.stream = 0),
				0) AS reach_0,
			coalesce(sum(o.len) FILTER (WHERE o.stream = 1), 0)
				AS stored_1,
			coalesce(max(o.at + o.len) FILTER (WHERE o.stream = 1),
				0) AS reach_1
		FROM sortie.output o
		WHERE o.number = p_number AND o.attempt = a.attempt) AS o);
END $$;

-- Meta lines as objects, one a line: "k=v" is text, "k" true, "!k" false.
CREATE OR REPLACE FUNCTION sortie.meta_view_1(p_number bigint) RETURNS json
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	-- Few jobs have any, and a plan of this size takes 50 us to set up.
	IF NOT EXISTS (SELECT 1 FROM sortie.run_meta m
		WHERE m.number = p_number) THEN
		RETURN '[]';
	END IF;
	RETURN (SELECT coalesce(json_agg(CASE json_typeof(e.line) WHEN 'string' THEN (
		SELECT coalesce(json_object_agg(CASE
				WHEN strpos(w, '=') > 1 THEN split_part(w, '=', 1)
				ELSE ltrim(w, '!') END,
			CASE WHEN strpos(w, '=') > 1
				THEN to_json(substr(w, strpos(w, '=') + 1))
				ELSE to_json(left(w, 1) <> '!') END), '{}')
		FROM regexp_split_to_table(trim(e.line #>> '{}'), '\s+') AS w
		WHERE ltrim(w, '!') <> '')
		ELSE e.line END ORDER BY m.attempt, e.ord), '[]')
	FROM sortie.run_meta m
	CROSS JOIN LATERAL json_array_elements(m.lines) WITH ORDINALITY
		AS e(line, ord)
	WHERE m.number = p_number AND m.attempt = (
		SELECT max(x.attempt) FROM sortie.run_meta x
		WHERE x.number = p_number));
END $$;

-- The smallest number that may have been submitted at that time or later:
-- numbers and times rise together, but for batches that overlap (a minute is
-- taken off for these). Halves the range some forty times.
CREATE OR REPLACE FUNCTION sortie.number_since_1(p_since timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
DECLARE
	v_lo bigint := 0;
	v_hi bigint;
	v_mid bigint;
	v_at timestamptz;
	v_since timestamptz := p_since - interval '1 minute';
BEGIN
	SELECT coalesce(max(j.number), 0) + 1 INTO v_hi FROM sortie.job j;
	WHILE v_lo < v_hi LOOP
		v_mid := v_lo + (v_hi - v_lo) / 2;
		SELECT j.submitted_at INTO v_at FROM sortie.job j
		WHERE j.number >= v_mid ORDER BY j.number LIMIT 1;
		IF v_at IS NULL OR v_at >= v_since THEN
			v_hi := v_mid;
		ELSE
			v_lo := v_mid + 1;
		END IF;
	END LOOP;
	RETURN v_lo;
END $$;

-- Candidates of a list, newest first: about p_n rows of one driving index are
-- read below p_below. Every number >= below_next that the index has is in
-- numbers; below_next is NULL when the index has been read to its end.
-- Drivers: all, jobs (ranges), key, pilot, tag, kind, state. The driver's own
-- condition is met; state's meets the one on kinds too. A driver of several
-- legs (kinds, states) reads each leg equally deep, and knows nothing below
-- the highest end of a leg that has more.
CREATE OR REPLACE FUNCTION sortie.job_candidates_1(p_driver text, p_below bigint,
	p_from bigint, p_n int, p_states sortie.job_state[], p_kinds int[],
	p_key text, p_pilot bigint, p_tag text, p_value text, p_lo bigint[],
	p_hi bigint[], OUT numbers bigint[], OUT below_next bigint,
	OUT n_read int)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
	m int := p_n;
BEGIN
	IF p_driver = 'kind' THEN
		m := greatest(8, 2 * p_n / cardinality(p_kinds));
		WITH c AS (
			SELECT k.kind_id, h.number
			FROM unnest(p_kinds) AS k(kind_id)
			CROSS JOIN LATERAL (
				SELECT j.number FROM sortie.job j
				WHERE j.kind_id = k.kind_id
				AND j.number < p_below AND j.number >= p_from
				ORDER BY j.number DESC LIMIT m) AS h),
		f AS (SELECT max(g.lowest) AS lowest
			FROM (SELECT min(c.number) AS lowest FROM c
				GROUP BY c.kind_id HAVING count(*) >= m) AS g)
		SELECT array_agg(c.number ORDER BY c.number DESC)
				FILTER (WHERE c.number >= coalesce(f.lowest, 0)),
			max(f.lowest), count(*)
		INTO numbers, below_next, n_read
		FROM c, f;
	ELSIF p_driver = 'state' THEN
		m := least(p_n, 5000);
		WITH c AS (
			(SELECT 1 AS leg, q.number, q.kind_id, true AS ok
			FROM sortie.queue q
			WHERE 'defined' = ANY (p_states)
			AND q.number < p_below AND q.number >= p_from
			ORDER BY q.number DESC LIMIT m)
			UNION ALL
			(SELECT 2, w.number, w.kind_id, CASE w.why
				WHEN 'held' THEN 'held' ELSE 'waiting' END
				::sortie.job_state = ANY (p_states)
			FROM sortie.waiting w
			WHERE p_states && '{held,waiting}'
			AND w.number < p_below AND w.number >= p_from
			ORDER BY w.number DESC LIMIT m)
			UNION ALL
			(SELECT 3, l.number, l.kind_id, CASE WHEN l.running
				THEN 'running' ELSE 'dispatched' END
				::sortie.job_state = ANY (p_states)
			FROM sortie.live l
			WHERE p_states && '{dispatched,running}'
			AND l.number < p_below AND l.number >= p_from
			ORDER BY l.number DESC LIMIT m)
			UNION ALL
			(SELECT 4, e.number, e.kind_id, e.state = ANY (p_states)
			FROM sortie.ended e
			WHERE 'finished' = ANY (p_states)
			AND e.number < p_below AND e.number >= p_from
			ORDER BY e.number DESC LIMIT m)
			UNION ALL
			SELECT 10 + s.ord, h.number, h.kind_id, true
			FROM unnest(p_states) WITH ORDINALITY AS s(state, ord)
			CROSS JOIN LATERAL (
				SELECT e.number, e.kind_id FROM sortie.ended e
				WHERE e.state = s.state
				AND e.state <> 'finished'
				AND e.number < p_below AND e.number >= p_from
				ORDER BY e.number DESC LIMIT m) AS h
			WHERE NOT 'finished' = ANY (p_states)),
		f AS (SELECT max(g.lowest) AS lowest
			FROM (SELECT min(c.number) AS lowest FROM c
				GROUP BY c.leg HAVING count(*) >= m) AS g)
		SELECT array_agg(c.number ORDER BY c.number DESC)
				FILTER (WHERE c.ok
				AND c.number >= coalesce(f.lowest, 0)
				AND (p_kinds IS NULL
					OR c.kind_id = ANY (p_kinds))),
			max(f.lowest), count(*)
		INTO numbers, below_next, n_read
		FROM c, f;
	ELSE
		IF p_driver = 'all' THEN
			SELECT array_agg(s.number), count(*)
			INTO numbers, n_read
			FROM (SELECT j.number FROM sortie.job j
				WHERE j.number < p_below
				AND j.number >= p_from
				ORDER BY j.number DESC LIMIT p_n) AS s;
		ELSIF p_driver = 'jobs' THEN
			SELECT array_agg(s.number), count(*)
			INTO numbers, n_read
			FROM (SELECT DISTINCT h.number
				FROM unnest(p_lo, p_hi) AS r(lo, hi)
				CROSS JOIN LATERAL (
					SELECT j.number FROM sortie.job j
					WHERE j.number
					BETWEEN greatest(r.lo, p_from)
					AND least(r.hi, p_below - 1)
					OFFSET 0) AS h
				ORDER BY h.number DESC LIMIT p_n) AS s;
		ELSIF p_driver = 'key' THEN
			SELECT array_agg(s.number), count(*)
			INTO numbers, n_read
			FROM (SELECT y.number
				FROM (SELECT DISTINCT k.owner_id, k.project_id
					FROM sortie.kind k
					WHERE p_kinds IS NULL
					OR k.kind_id = ANY (p_kinds)) AS u
				JOIN sortie.job_key y
					ON y.owner_id = u.owner_id
					AND y.project_id = u.project_id
					AND y.key = p_key
				WHERE y.number < p_below
				AND y.number >= p_from
				ORDER BY y.number DESC LIMIT p_n) AS s;
		ELSIF p_driver = 'tag' THEN
			SELECT array_agg(s.number), count(*)
			INTO numbers, n_read
			FROM (SELECT t.number FROM sortie.job_tag t
				WHERE t.name = p_tag AND t.value = p_value
				AND t.number < p_below AND t.number >= p_from
				ORDER BY t.number DESC LIMIT p_n) AS s;
		ELSIF p_driver = 'pilot' THEN
			SELECT array_agg(s.number), count(*)
			INTO numbers, n_read
			FROM (SELECT DISTINCT u.number FROM (
				SELECT l.number FROM sortie.live l
				WHERE l.pilot = p_pilot
				AND l.number < p_below AND l.number >= p_from
				UNION ALL
				(SELECT r.number FROM sortie.run r
				WHERE r.pilot = p_pilot
				AND r.number < p_below AND r.number >= p_from
				ORDER BY r.number DESC LIMIT 2 * p_n)) AS u
				ORDER BY u.number DESC LIMIT p_n) AS s;
		END IF;
		IF n_read >= p_n THEN
			below_next := numbers[p_n];
		END IF;
	END IF;
	numbers := coalesce(numbers, '{}');
END $$;

-- One page of a list of jobs: their numbers, newest first, and where the next
-- page begins (NULL: this is the last). All conditions are AND; NULL means
-- any.
--     p_below     only smaller numbers (the cursor)
--     p_name      part of the name, capitals alike
--     p_lo, p_hi  ranges of numbers
-- At most some 20,000 rows are read: then the page ends, short or empty, with
-- a next. The driving index is chosen by what is asked for; between states and
-- kinds the counters say which has fewer jobs. A page holds at most 4 MiB of
-- definitions.
CREATE OR REPLACE FUNCTION sortie.jobs_find_1(p_owner int, p_projects int[],
	p_below bigint, p_page int, p_states sortie.job_state[],
	p_project text, p_jobtype text, p_owner_name text, p_name text,
	p_key text, p_tag text, p_value text, p_pilot bigint, p_lo bigint[],
	p_hi bigint[], p_since timestamptz,
	OUT numbers bigint[], OUT below_next bigint)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
	v_kinds int[] := sortie.kinds_1(p_owner, p_projects, p_owner_name,
		p_project, p_jobtype);
	v_from bigint := 0;
	v_driver text := 'all';
	v_state_n bigint;
	v_kind_n bigint;
	v_both_n bigint;
	v_below bigint := coalesce(p_below, 9223372036854775807);
	v_budget int;
	v_chunk int;
	v_filter bool;                  -- the driver does not do it alone
	v_wide bool;                    -- the wide row must be read
	v_states sortie.job_state[] := p_states;
	v_kinds_left int[] := v_kinds;
	v_name text := lower(p_name);
	v record;
	v_hits bigint[];
BEGIN
	numbers := '{}';
	IF v_kinds = '{}' THEN
		RETURN;
	END IF;
	IF p_since IS NOT NULL THEN
		v_from := sortie.number_since_1(p_since);
	END IF;
	IF p_states IS NOT NULL OR v_kinds IS NOT NULL THEN
		SELECT coalesce(sum(t.n) FILTER (WHERE p_states IS NULL
				OR t.state = ANY (p_states)), 0),
			coalesce(sum(t.n) FILTER (WHERE v_kinds IS NULL
				OR t.kind_id = ANY (v_kinds)), 0),
			coalesce(sum(t.n) FILTER (WHERE (p_states IS NULL
				OR t.state = ANY (p_states))
				AND (v_kinds IS NULL
				OR t.kind_id = ANY (v_kinds))), 0)
		INTO v_state_n, v_kind_n, v_both_n
		FROM sortie.tally t;
		IF v_both_n = 0 THEN
			RETURN;
		END IF;
		-- By kind only when that is far less to read: states are
		-- narrow and in order, and the newest jobs have not ended.
		v_driver := CASE WHEN p_states IS NULL OR v_kinds IS NOT NULL
			AND (v_kind_n <= 10000 OR v_kind_n * 20 < v_state_n
				AND v_kind_n - v_both_n <= 10000)
			THEN 'kind' ELSE 'state' END;
	END IF;
	IF p_lo IS NOT NULL THEN
		v_driver := 'jobs';
	ELSIF p_key IS NOT NULL THEN
		v_driver := 'key';
	ELSIF p_pilot IS NOT NULL THEN
		v_driver := 'pilot';
	ELSIF p_tag IS NOT NULL AND (v_both_n IS NULL OR v_both_n > 1000) THEN
		v_driver := 'tag';
	END IF;
	IF v_driver = 'state' THEN
		v_states := NULL;
		v_kinds_left := NULL;
	ELSIF v_driver = 'kind' THEN
		v_kinds_left := NULL;
	END IF;
	v_wide := v_kinds_left IS NOT NULL OR p_since IS NOT NULL
		OR v_name IS NOT NULL;
	v_filter := v_wide OR v_states IS NOT NULL
		OR p_key IS NOT NULL AND v_driver <> 'key'
		OR p_tag IS NOT NULL AND v_driver <> 'tag'
		OR p_pilot IS NOT NULL AND v_driver <> 'pilot';
	-- What else must be looked up for each row makes the page shorter.
	v_budget := 20000 / (1 + v_wide::int
		+ (v_driver = 'state' AND v_filter)::int
		+ 2 * (v_states IS NOT NULL)::int
		+ (p_tag IS NOT NULL AND v_driver <> 'tag')::int);
	v_chunk := CASE WHEN v_filter THEN greatest(4 * p_page, 400)
		ELSE p_page + 1 END;
	IF v_driver = 'state' AND v_kinds IS NOT NULL THEN
		v_chunk := greatest(4 * p_page, 400);
	END IF;

	LOOP
		v_chunk := least(v_chunk, v_budget);
		SELECT * INTO v FROM sortie.job_candidates_1(v_driver, v_below,
			v_from, v_chunk, p_states, v_kinds, p_key, p_pilot,
			p_tag, p_value, p_lo, p_hi);
		IF v_filter THEN
			SELECT coalesce(array_agg(c.number
				ORDER BY c.number DESC), '{}') INTO v_hits
			FROM unnest(v.numbers) AS c(number)
			WHERE (p_tag IS NULL OR EXISTS (
				SELECT 1 FROM sortie.job_tag t
				WHERE t.name = p_tag AND t.value = p_value
				AND t.number = c.number))
			AND (p_key IS NULL OR EXISTS (
				SELECT 1 FROM sortie.job_key y
				WHERE y.number = c.number AND y.key = p_key))
			AND (p_pilot IS NULL OR EXISTS (
				SELECT 1 FROM sortie.run r
				WHERE r.number = c.number
				AND r.pilot = p_pilot)
				OR EXISTS (SELECT 1 FROM sortie.live l
				WHERE l.number = c.number
				AND l.pilot = p_pilot))
			AND (v_states IS NULL OR coalesce(
				(SELECT e.state FROM sortie.ended e
				WHERE e.number = c.number),
				(SELECT CASE WHEN l.running THEN 'running'
					ELSE 'dispatched' END::sortie.job_state
				FROM sortie.live l
				WHERE l.number = c.number),
				(SELECT CASE w.why WHEN 'held' THEN 'held'
					ELSE 'waiting' END::sortie.job_state
				FROM sortie.waiting w
				WHERE w.number = c.number),
				'defined') = ANY (v_states))
			AND (NOT v_wide OR EXISTS (
				SELECT 1 FROM sortie.job j
				WHERE j.number = c.number
				AND (v_kinds_left IS NULL
					OR j.kind_id = ANY (v_kinds_left))
				AND (v_name IS NULL
					OR strpos(lower(j.name), v_name) > 0)
				AND (p_since IS NULL
					OR j.submitted_at >= p_since)));
		ELSE
			v_hits := v.numbers;
		END IF;
		numbers := numbers || v_hits;
		below_next := v.below_next;
		v_budget := v_budget - v.n_read;
		EXIT WHEN cardinality(numbers) > p_page
			OR below_next IS NULL OR v_budget < 400;
		v_below := below_next;
		v_chunk := v_chunk * 4;
	END LOOP;
	IF cardinality(numbers) > p_page THEN
		numbers := numbers[1 : p_page];
		below_next := numbers[p_page];
	END IF;

	SELECT array_agg(s.number ORDER BY s.number DESC)
		FILTER (WHERE s.size <= 4194304 OR s.pos = 1)
	INTO v_hits
	FROM (SELECT c.number, sum(octet_length(j.definition))
			OVER (ORDER BY c.number DESC) AS size,
			row_number() OVER (ORDER BY c.number DESC) AS pos
		FROM unnest(numbers) AS c(number)
		JOIN sortie.job j ON j.number = c.number) AS s;
	IF cardinality(v_hits) < cardinality(numbers) THEN
		numbers := v_hits;
		below_next := numbers[cardinality(numbers)];
	END IF;
END $$;

-- A definition as people see it: secrets are sealed, and not shown even so.
CREATE OR REPLACE FUNCTION sortie.definition_shown_1(p_definition text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN strpos(p_definition, '"sealed:1:') = 0
		THEN p_definition
		ELSE regexp_replace(p_definition, '"sealed:1:[A-Za-z0-9+/=]*"',
			'"***"', 'g') END
$$;
