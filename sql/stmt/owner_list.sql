-- One page of owners by name with their limits and what they use of them; who
-- is no administrator sees himself. The owner "*" is everybody who has no
-- value of his own.
-- $1 owner id (NULL: administrators), $2 names behind this one, $3 page size,
-- $4 what stands between two items, $5 only this name (NULL: any).
-- Result: one row: items (NULL: none), next (NULL: last page). Locks: none.
WITH t AS MATERIALIZED (
	SELECT o.*
	FROM sortie.owner o
	WHERE ($1::int IS NULL OR o.owner_id = $1::int)
	AND ($2::text IS NULL OR o.name > $2::text)
	AND ($5::text IS NULL OR o.name = $5::text)
	ORDER BY o.name LIMIT $3::int + 1),
p AS (SELECT * FROM t ORDER BY t.name LIMIT $3::int)
SELECT (SELECT string_agg(json_strip_nulls(json_build_object('name', p.name,
		'max_queued', p.max_queued, 'max_rate', p.max_rate,
		'max_stored', p.max_stored,
		'queued', sortie.owner_queued_1(p.owner_id),
		'stored', sortie.owner_stored_1(p.owner_id)))::text,
		$4::text ORDER BY p.name)
	FROM p) AS items, CASE WHEN (SELECT count(*) FROM t) > $3::int
	THEN (SELECT max(p.name) FROM p) END AS next
