-- Changes a workflow. $5 JSON: what is to be set.
-- $1 bucket, $2 owner id (NULL: administrators), $3 project ids of the token,
-- $4 workflow.
-- Result: one row: code and message (NULL: done), classes that have work,
-- pilots that have orders, whether a step must follow, how many jobs
-- it is about. Locks: pilots, queued jobs, the workflow, its project.
SELECT code, message, classes, pilots, more, changed
FROM sortie.workflow_adjust_2($1::int, $2::int, $3::int[], $4::bigint, $5::json)
