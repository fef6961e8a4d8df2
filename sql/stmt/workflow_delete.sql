-- Deletes an ended workflow in steps; $5: cancel it first.
-- $1 bucket, $2 owner id (NULL: administrators), $3 project ids of the token,
-- $4 workflow.
-- Result: one row: code and message (NULL: done), classes that have work,
-- pilots that have orders, whether a step must follow. Locks: the workflow.
SELECT code, message, classes, pilots, more, 0 AS changed
FROM sortie.workflow_delete_1($1::int, $2::int, $3::int[], $4::bigint, $5::bool)
