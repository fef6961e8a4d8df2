-- Revokes a token and tells all servers. $1 id, $2 owner that it must have,
-- NULL = any, $3 projects that it must be bound within ('{}' = any).
-- A row when there was one in force.
WITH gone AS (
	UPDATE sortie.token t SET revoked_at = now()
	WHERE t.token_id = $1::uuid AND t.revoked_at IS NULL
		AND ($2::int IS NULL OR t.owner_id = $2::int)
		AND ($3::int[] = '{}' OR (t.project_ids <> '{}'
			AND t.project_ids <@ $3::int[]))
	RETURNING t.token_id
)
SELECT token_id::text, pg_notify('sortie_token', '') FROM gone;
