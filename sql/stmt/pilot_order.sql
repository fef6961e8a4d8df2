-- Tells pilots to drain, or kills them.
-- $1 bucket, $2 lost runs that a job survives, $3 owner id (NULL:
-- administrators), $4 numbers, $5 kill.
-- Result: a row for each: pilot, code and message (NULL: done); then with
-- `what` and a number what that has ended and set going.
-- Locks: pilots, their live runs, workflows, projects, limits.
SELECT pilot, code, message, what, number
FROM sortie.pilot_order_2($1::int, $2::int, $3::int, $4::bigint[], $5::bool)
