-- Cancels jobs; with $5 they go when they have ended.
-- $1 bucket, $2 owner id (NULL: administrators), $3 project ids of the token,
-- $4 numbers, $5 whether to delete them.
-- Result: a row for each: number, code and message (NULL: done), pilot that has
-- an order by it, what (NULL); then with `what` the rows of settle_2.
-- Locks: pilots, jobs, projects, in this order.
SELECT number, code, message, pilot, what
FROM sortie.job_cancel_3($1::int, $2::int, $3::int[], $4::bigint[], $5::bool,
	'cancelled')
