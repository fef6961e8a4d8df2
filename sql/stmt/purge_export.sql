-- One step of a purge that exports (sortie.purge_export_1).
-- $1 bucket, $2 owner id (NULL: administrators), $3 project ids of the token,
-- $4 seconds since the end, $5 state or NULL, $6 project or NULL, $7 jobs at
-- most, $8 what the step before was told as `exported`, or NULL.
-- Result: one row: deleted, lines, exported. Locks: rows of ended jobs (skips
-- locked ones).
SELECT x.deleted, x.lines, x.seen || ';' || array_to_string(x.number, ',')
FROM sortie.purge_export_1($1::int, $2::int, $3::int[], $4::bigint,
	$5::text::sortie.job_state, $6::text, $7::int,
	split_part($8::text, ';', 1)::pg_snapshot,
	string_to_array(split_part($8::text, ';', 2), ',')::bigint[]) AS x
