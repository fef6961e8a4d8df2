-- One step of a purge by hand.
-- $1 bucket, $2 owner id (NULL: administrators), $3 project ids of the token,
-- $4 seconds since the end, $5 state or NULL, $6 project or NULL, $7 jobs at
-- most.
-- Result: one row: deleted, more. Locks: rows of ended jobs (skips locked ones).
SELECT deleted, more FROM sortie.purge_1($1::int, $2::int, $3::int[],
	$4::bigint, $5::text::sortie.job_state, $6::text, $7::int)
