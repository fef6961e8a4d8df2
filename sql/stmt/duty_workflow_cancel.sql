-- Cancels jobs of workflows that are being cancelled. $1 bucket, $2 jobs at
-- most. Result: how many, whether there are more, classes that have work,
-- pilots that have orders. Locks: pilots, queued jobs, a workflow, projects.
SELECT n, more, classes, pilots
FROM sortie.workflow_cancel_step_1($1::int, $2::int)
