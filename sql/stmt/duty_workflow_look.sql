-- Looks at jobs of workflows that may run now. $1 bucket, $2 jobs at most.
-- Result: how many, whether there are more, classes that have work, pilots that
-- have orders (none). Locks: a workflow, projects.
SELECT n, more, classes, pilots
FROM sortie.workflow_look_step_1($1::int, $2::int)
