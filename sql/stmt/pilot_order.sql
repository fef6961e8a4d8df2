-- Tells pilots to drain, or kills them.
-- $1 bucket, $2 lost runs that a job survives, $3 owner id (NULL:
-- administrators), $4 numbers, $5 kill.
-- Result: a row for each: pilot, code and message (NULL: done).
-- Locks: pilots, their live runs, projects, limits.
SELECT pilot, code, message
FROM sortie.pilot_order_1($1::int, $2::int, $3::int, $4::bigint[], $5::bool)
