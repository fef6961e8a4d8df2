-- Why a job waits.
-- $1 number, $2 UUID or NULL (must then be the job's), $3 owner id (NULL:
-- administrators), $4 project ids of the token.
-- Result: no row when there is no such job; else the explanation (JSON).
-- Locks: none.
SELECT sortie.explain_1(j.number, $3::int, $4::int[])::text
FROM sortie.job j
JOIN sortie.kind k ON k.kind_id = j.kind_id
WHERE j.number = $1::bigint AND ($2::uuid IS NULL OR j.id = $2::uuid)
	AND sortie.may_see_1($3::int, $4::int[], k.owner_id, k.project_id)
