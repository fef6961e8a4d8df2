-- One page of the list of jobs.
-- $1 owner id (NULL: administrators), $2 project ids of the token (empty: all),
-- $3 only numbers below (NULL: the first page), $4 page size, $5 states,
-- $6 project, $7 jobtype, $8 owner's name, $9 part of the name, $10 key,
-- $11 and $12 tag and its value, $13 pilot, $14 and $15 ranges of numbers,
-- $16 submitted in the last so many seconds, $17 what stands between two items,
-- $18 workflow (with it $14 and $15 do not count). $5 to $16, $18: NULL means any.
-- Result: one row: items (NULL when there are none), next (NULL: last page).
-- Locks: none.
WITH f AS MATERIALIZED (
	SELECT * FROM sortie.jobs_find_1($1::int, $2::int[], $3::bigint,
		$4::int, $5::text[]::sortie.job_state[], $6::text, $7::text,
		$8::text, $9::text, $10::text, $11::text, $12::text,
		$13::bigint,
		CASE WHEN $18::bigint IS NULL THEN $14::bigint[]
			ELSE sortie.node_ranges_1($18::bigint, false) END,
		CASE WHEN $18::bigint IS NULL THEN $15::bigint[]
			ELSE sortie.node_ranges_1($18::bigint, true) END,
		now() - make_interval(secs => $16::bigint)))
SELECT (SELECT string_agg(v.view, $17::text ORDER BY v.number DESC)
	FROM f, sortie.job_views_1(f.numbers) AS v) AS items,
	f.below_next AS next
FROM f
