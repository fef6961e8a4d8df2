-- One page of jobtypes by name: those of visible jobs, and those with a
-- maximum.
-- $1 owner id (NULL: administrators), $2 project ids of the token, $3 names
-- behind this one, $4 page size, $5 what stands between two items, $6 only this
-- name (NULL: any).
-- Result: one row: items (NULL: none), next (NULL: last page). Locks: none.
WITH t AS MATERIALIZED (
	SELECT u.name, max(u.capacity) AS capacity, sum(u.running) AS running,
		sum(u.queued) AS queued
	FROM (SELECT substr(l.name, 9) AS name, l.capacity, 0 AS running,
			0 AS queued
		FROM sortie.lim l WHERE l.name LIKE 'jobtype:%'
		UNION ALL
		SELECT k.jobtype, NULL, coalesce(sum(n.n) FILTER (WHERE
				n.state IN ('dispatched', 'running')), 0),
			coalesce(sum(n.n) FILTER (WHERE n.state = 'defined'), 0)
		FROM sortie.kind k
		LEFT JOIN sortie.tally n ON n.kind_id = k.kind_id
		WHERE sortie.may_see_1($1::int, $2::int[], k.owner_id,
			k.project_id)
		GROUP BY k.jobtype) AS u
	WHERE u.name <> '' AND ($3::text IS NULL OR u.name > $3::text)
		AND ($6::text IS NULL OR u.name = $6::text)
	GROUP BY u.name
	ORDER BY u.name LIMIT $4::int + 1),
p AS (SELECT * FROM t ORDER BY t.name LIMIT $4::int)
SELECT (SELECT string_agg(json_strip_nulls(json_build_object('name', p.name,
		'max_running', p.capacity, 'running', p.running,
		'queued', p.queued))::text, $5::text ORDER BY p.name)
	FROM p) AS items, CASE WHEN (SELECT count(*) FROM t) > $4::int
	THEN (SELECT max(p.name) FROM p) END AS next
