-- The graph of a workflow (sortie.workflow_graph_1). $1 owner id (NULL:
-- administrators), $2 project ids of the token, $3 workflow. Result: one row:
-- JSON; none when there is no such workflow. Locks: none.
SELECT sortie.workflow_graph_1(g.workflow) AS graph
FROM sortie.workflow g
WHERE g.workflow = $3::bigint AND NOT g.deleting
	AND sortie.may_see_1($1::int, $2::int[], g.owner_id, g.project_id)
