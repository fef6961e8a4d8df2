-- Tries jobs of workflows again that are to be. $1 bucket, $2 jobs at most.
-- Result: how many, whether there are more, classes that have work, pilots that
-- have orders. Locks: 7008, 7004 when classes sleep, a workflow, projects.
SELECT n, more, classes, pilots
FROM sortie.workflow_retry_step_1($1::int, $2::int)
