-- Whether a workflow has changed. $1 owner id (NULL: administrators), $2 project
-- ids of the token, $3 workflow. Result: one row: state, seen (changes with
-- state and counters); none when there is no such workflow. Locks: none.
SELECT g.state, sortie.workflow_seen_1(g) AS seen
FROM sortie.workflow g
WHERE g.workflow = $3::bigint AND NOT g.deleting
	AND sortie.may_see_1($1::int, $2::int[], g.owner_id, g.project_id)
