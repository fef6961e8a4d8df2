-- Pilots as people see them.

-- The state of a pilot: how it ended, else what its hot half says.
CREATE OR REPLACE FUNCTION sortie.pilot_state_1(p sortie.pilot, r sortie.pilot_room)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN p.end_state IS NOT NULL THEN p.end_state
		WHEN r.pilot IS NULL THEN 'stopped'
		WHEN r.pilot_order IS NOT NULL THEN 'draining'
		WHEN r.used_slots > 0 THEN 'busy'
		WHEN r.request = 0 THEN 'active'
		ELSE 'idle' END
$$;

-- Somebody sees his own pilots and those that take everybody's jobs.
CREATE OR REPLACE FUNCTION sortie.may_see_pilot_1(p_owner int, p_projects int[],
	p sortie.pilot) RETURNS bool LANGUAGE sql IMMUTABLE AS $$
	SELECT (p_owner IS NULL OR p.owner_id = p_owner OR p.everybody)
		AND (coalesce(p_projects, '{}') = '{}' OR p.project_ids = '{}'
			OR p.project_ids && p_projects)
$$;

-- Pilot views as JSON text.
CREATE OR REPLACE FUNCTION sortie.pilot_views_1(p_pilot bigint[])
RETURNS TABLE (number bigint, view text) LANGUAGE plpgsql STABLE ROWS 100
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	RETURN QUERY
	SELECT p.pilot, json_strip_nulls(json_build_object(
		'number', p.pilot,
		'id', p.id,
		'state', sortie.pilot_state_1(p, r),
		'owner', o.name,
		'everybody', p.everybody,
		'host', p.host,
		'site', nullif(p.site, ''),
		'pools', p.pools,
		'labels', p.labels,
		'jobtypes', json_build_object('accept', p.accept,
			'refuse', p.refuse),
		'slots', p.slots,
		'cores', p.cores,
		'memory', p.memory,
		'used', CASE WHEN r.pilot IS NOT NULL THEN json_build_object(
			'slots', r.used_slots, 'cores', r.used_cores,
			'memory', r.used_memory) END,
		'batch_id', nullif(p.batch_id, ''),
		'version', nullif(p.version, ''),
		'registered_at', sortie.utc_1(p.registered_at),
		'heard_at', sortie.utc_1(r.heard_at),
		'ends_at', sortie.utc_1(p.ends_at),
		'ended_at', sortie.utc_1(p.ended_at),
		'reason', nullif(p.end_reason, ''),
		'jobs_done', p.jobs_done + coalesce(r.done, 0),
		'order', r.pilot_order,
		'kept_for', r.reserved_number))::text
	FROM unnest(p_pilot) AS u(pilot)
	JOIN sortie.pilot p ON p.pilot = u.pilot
	JOIN sortie.owner o ON o.owner_id = p.owner_id
	LEFT JOIN sortie.pilot_room r ON r.pilot = p.pilot;
END $$;

-- One page of pilots, newest first, as jobs_find_1: NULL means any; at most
-- 20,000 rows are read. Living pilots are found without reading ended ones.
-- p_owned: only own ones, whatever else may be seen (for orders).
CREATE OR REPLACE FUNCTION sortie.pilots_find_1(p_owner int, p_projects int[],
	p_owned bool, p_below bigint, p_page int, p_states text[], p_host text,
	p_site text, p_owner_name text,
	OUT numbers bigint[], OUT below_next bigint)
LANGUAGE plpgsql STABLE
SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	v_below bigint := coalesce(p_below, 9223372036854775807);
	v_last bigint;
	v_read int;
BEGIN
	WITH c AS MATERIALIZED (
		(SELECT r.pilot FROM sortie.pilot_room r
		WHERE p_states <@ '{active,idle,busy,draining}'
		AND r.pilot < v_below
		ORDER BY r.pilot DESC LIMIT 20000)
		UNION ALL
		(SELECT p.pilot FROM sortie.pilot p
		WHERE NOT coalesce(p_states
			<@ '{active,idle,busy,draining}', false)
		AND p.pilot < v_below
		ORDER BY p.pilot DESC LIMIT CASE WHEN p_states IS NULL
			AND p_host IS NULL AND p_site IS NULL
			AND p_owner_name IS NULL AND p_owner IS NULL
			THEN p_page + 1 ELSE 20000 END)),
	s AS (SELECT p.pilot FROM c
		JOIN sortie.pilot p ON p.pilot = c.pilot
		JOIN sortie.owner o ON o.owner_id = p.owner_id
		LEFT JOIN sortie.pilot_room r ON r.pilot = p.pilot
		WHERE sortie.may_see_pilot_1(p_owner, p_projects, p)
		AND (NOT p_owned OR p_owner IS NULL OR p.owner_id = p_owner)
		AND (p_states IS NULL
			OR sortie.pilot_state_1(p, r) = ANY (p_states))
		AND (p_host IS NULL OR p.host = p_host)
		AND (p_site IS NULL OR p.site = p_site)
		AND (p_owner_name IS NULL OR o.name = p_owner_name)
		ORDER BY p.pilot DESC LIMIT p_page + 1)
	SELECT (SELECT coalesce(array_agg(s.pilot ORDER BY s.pilot DESC), '{}')
			FROM s), count(*), min(c.pilot)
	INTO numbers, v_read, v_last
	FROM c;
	IF cardinality(numbers) > p_page THEN
		numbers := numbers[1 : p_page];
		below_next := numbers[p_page];
	ELSIF v_read >= 20000 THEN
		below_next := v_last;
	END IF;
END $$;

-- Forgets ended pilots that no kept run names. A row for each: code and
-- message (NULL: done).
CREATE OR REPLACE FUNCTION sortie.pilot_delete_1(p_owner int, p_pilots bigint[])
RETURNS TABLE (pilot bigint, code text, message text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	v record;
BEGIN
	FOR v IN SELECT DISTINCT n, p.pilot AS known, r.pilot AS room
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
		ELSIF v.room IS NOT NULL THEN
			code := 'conflict';
			message := 'pilot ' || v.n
				|| ' lives: drain or kill it first';
		ELSIF EXISTS (SELECT 1 FROM sortie.run x
			WHERE x.pilot = v.n) THEN
			code := 'conflict';
			message := 'pilot ' || v.n
				|| ' is named by runs that are kept';
		ELSE
			DELETE FROM sortie.pilot p WHERE p.pilot = v.n;
			INSERT INTO sortie.event (kind, owner_id, pilot)
			VALUES ('pilot deleted', p_owner, v.n);
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
