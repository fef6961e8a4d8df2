-- Tokens that have not been revoked, newest first, in one JSON list.
-- $1 owner whose tokens, NULL = all, $2 only tokens bound within these
-- projects ('{}' = any), $3 made before this one (id of the last on the page
-- before, NULL = from the start), $4 how many.
-- Two columns: the items, the id of the last one when there may be more.
WITH page AS (
	SELECT t.*, o.name AS owner
	FROM sortie.token t
	JOIN sortie.owner o ON o.owner_id = t.owner_id
	WHERE t.revoked_at IS NULL
		AND ($1::int IS NULL OR t.owner_id = $1::int)
		AND ($2::int[] = '{}' OR (t.project_ids <> '{}'
			AND t.project_ids <@ $2::int[]))
		AND ($3::uuid IS NULL OR (t.created_at, t.token_id) <
			(SELECT c.created_at, c.token_id FROM sortie.token c
			WHERE c.token_id = $3::uuid))
	ORDER BY t.created_at DESC, t.token_id DESC
	LIMIT $4::int
)
SELECT coalesce(json_agg(json_strip_nulls(json_build_object('id', t.token_id,
	'name', t.name, 'role', t.role, 'owner', t.owner,
	'projects', to_json(ARRAY(SELECT p.name FROM sortie.project p
		WHERE p.project_id = ANY (t.project_ids) ORDER BY p.name)),
	'everybody', t.everybody,
	'created_at', sortie.utc_1(t.created_at),
	'expires_at', sortie.utc_1(t.expires_at),
	'used_at', sortie.utc_1(t.used_at),
	'created_by', t.created_by))
	ORDER BY t.created_at DESC, t.token_id DESC), '[]')::text,
	CASE WHEN count(*) = $4::int THEN
		(array_agg(t.token_id ORDER BY t.created_at, t.token_id))[1]::text
	END
FROM page t;
