-- Gives jobs of workflows the priority that they are to have. $1 bucket, $2 jobs
-- at most. Result: how many, whether there are more, classes that have work,
-- pilots that have orders. Locks: 7008, pilots, queued jobs, a workflow.
SELECT n, more, classes, pilots
FROM sortie.workflow_priority_step_1($1::int, $2::int)
