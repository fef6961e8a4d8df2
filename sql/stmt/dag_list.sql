-- One page of dags by name, with the newest version's description and size.
-- $1 names behind this one (NULL: from the first), $2 page size, $3 what stands
-- between two items.
-- Result: one row: items (NULL: none), next (NULL: last page). Locks: none.
WITH n AS MATERIALIZED (
	SELECT DISTINCT d.name FROM sortie.dag d
	WHERE $1::text IS NULL OR d.name > $1::text
	ORDER BY d.name LIMIT $2::int + 1),
p AS (SELECT n.name FROM n ORDER BY n.name LIMIT $2::int)
SELECT (SELECT string_agg(json_build_object('name', p.name,
		'version', d.version, 'versions', v.versions,
		'description', d.description, 'owner', o.name,
		'jobs', d.n_jobs, 'edges', d.n_edges,
		'created_at', sortie.utc_1(d.created_at))::text,
		$3::text ORDER BY p.name)
	FROM p
	CROSS JOIN LATERAL (SELECT count(*) AS versions
		FROM sortie.dag x WHERE x.name = p.name) AS v
	CROSS JOIN LATERAL (SELECT x.version, x.description, x.owner_id,
			x.n_jobs, x.n_edges, x.created_at
		FROM sortie.dag x WHERE x.name = p.name
		ORDER BY x.version DESC LIMIT 1) AS d
	JOIN sortie.owner o ON o.owner_id = d.owner_id) AS items,
	CASE WHEN (SELECT count(*) FROM n) > $2::int
	THEN (SELECT max(p.name) FROM p) END AS next
