-- One page of datatypes by name.
-- $1 names behind this one (NULL: from the first), $2 page size, $3 what stands
-- between two items.
-- Result: one row: items (NULL: none), next (NULL: last page). Locks: none.
WITH t AS MATERIALIZED (
	SELECT t.name, t.ext, t.comment, o.name AS owner
	FROM sortie.datatype t
	JOIN sortie.owner o ON o.owner_id = t.owner_id
	WHERE $1::text IS NULL OR t.name > $1::text
	ORDER BY t.name LIMIT $2::int + 1),
p AS (SELECT * FROM t ORDER BY t.name LIMIT $2::int)
SELECT (SELECT string_agg(json_build_object('name', p.name, 'ext', p.ext,
		'comment', p.comment, 'owner', p.owner)::text,
		$3::text ORDER BY p.name)
	FROM p) AS items, CASE WHEN (SELECT count(*) FROM t) > $2::int
	THEN (SELECT max(p.name) FROM p) END AS next
