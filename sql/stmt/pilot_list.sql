-- One page of the list of pilots.
-- $1 owner id (NULL: administrators), $2 project ids of the token, $3 only
-- numbers below (NULL: the first page), $4 page size, $5 states, $6 host,
-- $7 site, $8 owner's name (NULL: any), $9 what stands between two items.
-- Result: one row: items (NULL when there are none), next (NULL: last page).
-- Locks: none.
WITH f AS MATERIALIZED (
	SELECT * FROM sortie.pilots_find_1($1::int, $2::int[], false,
		$3::bigint, $4::int, $5::text[], $6::text, $7::text, $8::text))
SELECT (SELECT string_agg(v.view, $9::text ORDER BY v.number DESC)
	FROM f, sortie.pilot_views_1(f.numbers) AS v) AS items,
	f.below_next AS next
FROM f
