-- One pilot with its live runs and its last 100 ended ones, newest first.
-- $1 number, $2 UUID or NULL (must then be the pilot's), $3 owner id (NULL:
-- administrators), $4 project ids of the token.
-- Result: no row when there is no such pilot; else view (JSON). Locks: none.
SELECT left(v.view, -1) || ',"runs":' || coalesce((
	SELECT json_agg(json_strip_nulls(json_build_object(
		'job', a.number, 'name', j.name, 'attempt', a.attempt,
		'run', lpad(to_hex(a.run), 16, '0'), 'state', a.state,
		'reason', nullif(a.reason, ''), 'exit_code', a.exit_code,
		'signal', a.signal, 'granted_at', sortie.utc_1(a.granted_at),
		'started_at', sortie.utc_1(a.started_at),
		'ended_at', sortie.utc_1(a.ended_at), 'wall_ms', a.wall_ms))
		ORDER BY a.ended_at DESC NULLS FIRST, a.number DESC)
	FROM (SELECT l.number, l.attempt, l.run, CASE WHEN l.running
				THEN 'running' ELSE 'dispatched' END AS state,
			'' AS reason, NULL::int AS exit_code,
			NULL::int AS signal, l.granted_at, l.started_at,
			NULL::timestamptz AS ended_at, NULL::bigint AS wall_ms,
			l.kind_id
		FROM sortie.live l WHERE l.pilot = p.pilot
		UNION ALL
		(SELECT r.number, r.attempt, r.run, r.state::text, r.reason,
			r.exit_code, r.signal, r.granted_at, r.started_at,
			r.ended_at, r.wall_ms, NULL
		FROM sortie.run r WHERE r.pilot = p.pilot
		ORDER BY r.number DESC LIMIT 100)) AS a
	JOIN sortie.job j ON j.number = a.number
	JOIN sortie.kind k ON k.kind_id = j.kind_id
	WHERE sortie.may_see_1($3::int, $4::int[], k.owner_id, k.project_id))
	::text, '[]') || '}' AS view
FROM sortie.pilot p
CROSS JOIN LATERAL sortie.pilot_views_1(ARRAY[p.pilot]) AS v
WHERE p.pilot = $1::bigint AND ($2::uuid IS NULL OR p.id = $2::uuid)
	AND sortie.may_see_pilot_1($3::int, $4::int[], p)
