-- What is added to a workflow must know of it.
-- $1 owner id (NULL: administrators), $2 project ids of the token, $3 number,
-- $4 UUID or NULL (must then be the workflow's).
-- Result: no row when there is no such workflow; else number, name, project's
-- name, environment and policy of names (as the header has them), dag, its
-- version. Locks: none.
SELECT w.workflow, w.name, p.name, w.header ->> 'env', w.header ->> 'names',
	w.dag, w.dag_version
FROM sortie.workflow w
JOIN sortie.project p ON p.project_id = w.project_id
WHERE w.workflow = $3::bigint AND ($4::uuid IS NULL OR w.id = $4::uuid)
	AND sortie.may_see_1($1::int, $2::int[], w.owner_id, w.project_id)
