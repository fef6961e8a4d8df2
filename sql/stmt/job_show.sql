-- One job with its definition, runs and meta lines.
-- $1 number, $2 UUID or NULL (must then be the job's), $3 owner id (NULL:
-- administrators), $4 project ids of the token, $5 whether somebody waits for
-- its end: before that nobody reads the view, and it is NULL.
-- Result: no row when there is no such job; else view (JSON), number, ended.
-- Locks: none.
SELECT CASE WHEN e.number IS NOT NULL OR NOT $5::bool THEN (
	SELECT left(v.view, -1) || ',"definition":'
		|| sortie.definition_shown_1(j.definition) || ',"runs":'
		|| sortie.run_views_1(j.number) || ',"meta":'
		|| sortie.meta_view_1(j.number) || '}'
	FROM sortie.job_views_1(ARRAY[j.number]) AS v) END AS view,
	j.number, e.number IS NOT NULL AS ended
FROM sortie.job j
JOIN sortie.kind k ON k.kind_id = j.kind_id
LEFT JOIN sortie.ended e ON e.number = j.number
WHERE j.number = $1::bigint AND ($2::uuid IS NULL OR j.id = $2::uuid)
	AND sortie.may_see_1($3::int, $4::int[], k.owner_id, k.project_id)
