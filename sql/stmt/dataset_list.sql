-- One page of the list of datasets.
-- $1 owner id (NULL: administrators), $2 project ids of the token, $3 only
-- numbers below (NULL: the first page), $4 page size, $5 states, $6 datatype,
-- $7 part of the name, $8 the path's beginning, $9 workflow, $10 producer (job),
-- $11 tag, $12 site, $13 owner's name, $14 project, $15 what stands between two
-- items. $5 to $14: NULL means any.
-- Result: one row: items (NULL when there are none), next (NULL: last page).
-- Locks: none.
WITH f AS MATERIALIZED (
	SELECT * FROM sortie.datasets_find_1($1::int, $2::int[], $3::bigint,
		$4::int, $5::text[], $6::text, $7::text, $8::text, $9::bigint,
		$10::bigint, $11::text, $12::text, $13::text, $14::text))
SELECT (SELECT string_agg(v.view::text, $15::text ORDER BY v.dataset DESC)
	FROM f, sortie.dataset_views_1(f.numbers) AS v) AS items,
	f.below_next AS next
FROM f
