-- Starts a held workflow.
-- $1 bucket, $2 owner id (NULL: administrators), $3 project ids of the token,
-- $4 workflow.
-- Result: one row: code and message (NULL: done), classes that have work,
-- pilots that have orders, whether a step must follow, how many jobs
-- it is about. Locks: the workflow, its project.
SELECT code, message, classes, pilots, more, changed
FROM sortie.workflow_start_2($1::int, $2::int, $3::int[], $4::bigint)
