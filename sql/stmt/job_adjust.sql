-- Changes jobs that have not ended.
-- $1 bucket, $2 owner id (NULL: administrators), $3 project ids of the token,
-- $4 numbers, $5 object of what to set: priority, timeout, retries, name,
-- comment, description.
-- Result: a row for each: number, code and message (NULL: done), pilot and
-- what (NULL).
-- Locks: jobs.
SELECT number, code, message, pilot, NULL AS what
FROM sortie.job_adjust_1($1::int, $2::int, $3::int[], $4::bigint[], $5::jsonb)
