-- One page of sites by name.
-- $1 names behind this one (NULL: from the first), $2 page size, $3 what stands
-- between two items.
-- Result: one row: items (NULL: none), next (NULL: last page). Locks: none.
WITH s AS MATERIALIZED (
	SELECT s.name, s.definition FROM sortie.site s
	WHERE $1::text IS NULL OR s.name > $1::text
	ORDER BY s.name LIMIT $2::int + 1),
p AS (SELECT * FROM s ORDER BY s.name LIMIT $2::int)
SELECT (SELECT string_agg(p.definition::text, $3::text ORDER BY p.name)
	FROM p) AS items, CASE WHEN (SELECT count(*) FROM s) > $2::int
	THEN (SELECT max(p.name) FROM p) END AS next
