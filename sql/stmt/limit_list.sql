-- One page of limits by name, those of jobtypes left out.
-- $1 names behind this one, $2 page size, $3 what stands between two items, $4
-- only this name (NULL: any).
-- Result: one row: items (NULL: none), next (NULL: last page). Locks: none.
WITH l AS MATERIALIZED (
	SELECT l.name, l.capacity, l.used FROM sortie.lim l
	WHERE l.name NOT LIKE 'jobtype:%'
	AND ($1::text IS NULL OR l.name > $1::text)
	AND ($4::text IS NULL OR l.name = $4::text)
	ORDER BY l.name LIMIT $2::int + 1),
p AS (SELECT * FROM l ORDER BY l.name LIMIT $2::int)
SELECT (SELECT string_agg(json_strip_nulls(json_build_object('name', p.name, 'capacity',
		p.capacity, 'used', p.used))::text, $3::text ORDER BY p.name)
	FROM p) AS items, CASE WHEN (SELECT count(*) FROM l) > $2::int
	THEN (SELECT max(p.name) FROM p) END AS next
