-- Tells edges that were left to tell. $1 bucket, $2 edges at most.
-- Result: how many, whether there are more, classes that have work.
-- Locks: a workflow, its project.
SELECT n, more, classes, pilots FROM sortie.graph_firing_1($1::int, $2::int)
