-- Whether some jobs of some ranges have yet to end: what is asked again and again
-- where the counts of so many would take long.
-- $1 and $2 ranges of numbers, $3 owner id (NULL: administrators), $4 project ids
-- of the token.
-- Result: one row: some_left. Locks: none.
-- The last of a range are looked for first: those before them end earlier, and
-- leave rows behind as long as a snapshot might see them.
WITH k AS MATERIALIZED (SELECT sortie.kinds_1($3::int, $4::int[], NULL, NULL,
	NULL) AS kinds)
SELECT EXISTS (
	SELECT 1 FROM unnest($1::bigint[], $2::bigint[]) AS r(lo, hi), k
	WHERE EXISTS (SELECT 1 FROM (SELECT 1 FROM sortie.queue q
		WHERE q.number BETWEEN r.lo AND r.hi
		AND (k.kinds IS NULL OR q.kind_id = ANY (k.kinds))
		ORDER BY q.number DESC LIMIT 1) AS x)
	OR EXISTS (SELECT 1 FROM (SELECT 1 FROM sortie.live l
		WHERE l.number BETWEEN r.lo AND r.hi
		AND (k.kinds IS NULL OR l.kind_id = ANY (k.kinds))
		ORDER BY l.number DESC LIMIT 1) AS x)
	OR EXISTS (SELECT 1 FROM (SELECT 1 FROM sortie.waiting w
		WHERE w.number BETWEEN r.lo AND r.hi
		AND (k.kinds IS NULL OR w.kind_id = ANY (k.kinds))
		ORDER BY w.number DESC LIMIT 1) AS x)) AS some_left
