-- One dataset with its lineage.
-- $1 owner id (NULL: administrators), $2 project ids of the token, $3 number,
-- $4 UUID or NULL (must then be the dataset's), $5 site, $6 path or NULL (then
-- number and UUID do not count), $7 steps of lineage.
-- Result: no row when there is no such dataset; else view. Locks: none.
SELECT left(v.view::text, -1) || ',"consumers":' || coalesce((
		SELECT json_agg(u.number ORDER BY u.number)
		FROM (SELECT DISTINCT u.number FROM sortie.dataset_use u
			WHERE u.dataset = r.dataset AND u.role = 'i'
			ORDER BY u.number LIMIT 10000) AS u), '[]')
	|| ',"up":' || sortie.dataset_lineage_1($1::int, $2::int[], r.dataset,
		$7::int, true)
	|| ',"down":' || sortie.dataset_lineage_1($1::int, $2::int[],
		r.dataset, $7::int, false) || '}' AS view
FROM (SELECT sortie.dataset_ref_1($1::int, $2::int[], $3::bigint, $4::uuid,
	$5::text, $6::text) AS dataset OFFSET 0) AS r
CROSS JOIN LATERAL sortie.dataset_views_1(ARRAY[r.dataset]) AS v
