-- One page of a workflow's jobs, oldest first. $1 owner id (NULL:
-- administrators), $2 project ids of the token, $3 workflow, $4 only job numbers
-- above (0: the first page), $5 page size, $6 states
-- between commas (NULL: any), $7 what stands
-- between two items. With a state 20,000 jobs are looked at at most.
-- Result: one row: items (NULL when there are none), next (NULL: last page);
-- none when there is no such workflow. Locks: none.
WITH g AS MATERIALIZED (
	SELECT w.workflow FROM sortie.workflow w
	WHERE w.workflow = $3::bigint AND NOT w.deleting
		AND sortie.may_see_1($1::int, $2::int[], w.owner_id,
			w.project_id)),
r AS MATERIALIZED (
	SELECT n.number FROM g
	JOIN sortie.node n ON n.workflow = g.workflow
	WHERE n.number > $4::bigint
	ORDER BY n.number
	LIMIT CASE WHEN $6::text IS NULL THEN $5::int + 1 ELSE 20000 END),
m AS MATERIALIZED (
	SELECT r.number FROM r
	WHERE $6::text IS NULL
		OR sortie.job_state_1(r.number)::text
			= ANY (string_to_array($6::text, ','))
	ORDER BY r.number LIMIT $5::int + 1),
p AS MATERIALIZED (
	SELECT m.number FROM m ORDER BY m.number LIMIT $5::int)
SELECT (SELECT string_agg(v.view, $7::text ORDER BY v.number)
	FROM sortie.node_views_1((SELECT array_agg(p.number) FROM p)) AS v)
	AS items,
	CASE WHEN (SELECT count(*) FROM m) > $5::int
		THEN (SELECT max(p.number) FROM p)
	WHEN $6::text IS NOT NULL AND (SELECT count(*) FROM r) = 20000
		THEN (SELECT max(r.number) FROM r) END AS next
FROM g
