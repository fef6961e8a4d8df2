-- Holds waiting and queued jobs.
-- $1 bucket, $2 owner id (NULL: administrators), $3 project ids of the token,
-- $4 numbers.
-- Result: a row for each: number, code and message (NULL: done), pilot (NULL),
-- what (NULL); then with `what` the rows of settle_2.
-- Locks: jobs, projects.
SELECT number, code, message, pilot, what
FROM sortie.job_hold_2($1::int, $2::int, $3::int[], $4::bigint[])
