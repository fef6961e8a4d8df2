-- Who a stored token stands for. $1 SHA-256 of the secret.
-- A row per project that the token is bound to, one with NULLs when it is
-- bound to none; no row when there is no such token in force. The last column
-- is how often the owner may call, in calls a second (NULL: no limit).
SELECT t.token_id::text, t.role::text, o.name, t.owner_id, t.everybody,
	cardinality(t.project_ids) > 0 AS bound, p.project_id, p.name,
	coalesce(t.used_at < now() - interval '1 hour', true) AS note_use,
	(sortie.owner_limit_1(t.owner_id)).max_rate
FROM sortie.token t
JOIN sortie.owner o ON o.owner_id = t.owner_id
LEFT JOIN sortie.project p ON p.project_id = ANY (t.project_ids)
WHERE t.hash = $1::bytea AND t.revoked_at IS NULL
	AND (t.expires_at IS NULL OR t.expires_at > now())
ORDER BY p.project_id;
