-- One page of what was injected (sortie.injections_list_2).
-- $1 owner id (NULL: administrators), $2 project ids of the token, $3 only
-- numbers below (NULL: the first page), $4 page size, $5 stream, $6 path, $7
-- states of workflows or jobs (NULL: any), $8 what stands between two items.
-- Result: one row: items (NULL when there are none), next (NULL: last page).
-- Locks: none.
SELECT x.o_items, x.o_next
FROM sortie.injections_list_2($1::int, $2::int[], $3::bigint, $4::int,
	$5::text, $6::text, $7::text[], $8::text) AS x
