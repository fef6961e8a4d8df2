-- One page of the list of workflows.
-- $1 owner id (NULL: administrators), $2 project ids of the token, $3 only
-- numbers below (NULL: the first page), $4 page size, $5 state, $6 part of the
-- name, $7 dag, $8 owner's name, $9 project, $10 created at or after, $11
-- before, $12 what stands between two items. $5 to $11: NULL means any.
-- Result: one row: items (NULL when there are none), next (NULL: last page).
-- Locks: none.
WITH f AS MATERIALIZED (
	SELECT * FROM sortie.workflows_find_1($1::int, $2::int[], $3::bigint,
		$4::int, $5::text, $6::text, $7::text, $8::text, $9::text,
		$10::text::timestamptz, $11::text::timestamptz))
SELECT (SELECT string_agg(sortie.workflow_view_1(u.number, false), $12::text
		ORDER BY u.number DESC)
	FROM f, unnest(f.numbers) AS u(number)) AS items,
	f.below_next AS next
FROM f
