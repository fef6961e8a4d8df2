-- Removes workflows that are deleted, and those that ended more than $3 seconds
-- ago (0: never). $1 bucket, $2 jobs at most.
-- Result: how many jobs, whether there are more. Locks: a workflow.
SELECT n, more FROM sortie.workflow_forget_1($1::int, $2::int, $3::bigint)
