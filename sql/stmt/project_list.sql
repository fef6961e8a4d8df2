-- One page of projects by name with the numbers of their visible jobs; who is
-- no administrator sees the projects that have jobs of his.
-- $1 owner id (NULL: administrators), $2 project ids of the token, $3 names
-- behind this one, $4 page size, $5 what stands between two items, $6 only this
-- name (NULL: any).
-- Result: one row: items (NULL: none), next (NULL: last page). Locks: none.
WITH t AS MATERIALIZED (
	SELECT p.project_id, p.name, p.max_running, p.keep_last, p.admitted
	FROM sortie.project p
	WHERE ($3::text IS NULL OR p.name > $3::text)
	AND ($6::text IS NULL OR p.name = $6::text)
	AND (coalesce($2::int[], '{}') = '{}'
		OR p.project_id = ANY ($2::int[]))
	AND ($1::int IS NULL OR EXISTS (
		SELECT 1 FROM sortie.kind k
		WHERE k.project_id = p.project_id AND k.owner_id = $1::int))
	ORDER BY p.name LIMIT $4::int + 1),
p AS (SELECT t.*, coalesce((
		SELECT json_object_agg(s.state, s.n ORDER BY s.state)
		FROM (SELECT n.state, sum(n.n) AS n
			FROM sortie.kind k
			JOIN sortie.tally n ON n.kind_id = k.kind_id
			WHERE k.project_id = t.project_id
			AND ($1::int IS NULL OR k.owner_id = $1::int)
			GROUP BY n.state HAVING sum(n.n) <> 0) AS s), '{}')
		AS jobs
	FROM t ORDER BY t.name LIMIT $4::int)
SELECT (SELECT string_agg(json_strip_nulls(json_build_object('name', p.name,
		'max_running', p.max_running, 'admitted', CASE
		WHEN p.max_running IS NOT NULL THEN p.admitted END,
		'keep_last', p.keep_last, 'jobs', p.jobs))::text, $5::text
		ORDER BY p.name)
	FROM p) AS items, CASE WHEN (SELECT count(*) FROM t) > $4::int
	THEN (SELECT max(p.name) FROM p) END AS next
