-- Notes that a token is in use, to the hour. $1 id.
UPDATE sortie.token SET used_at = now()
WHERE token_id = $1::uuid
	AND (used_at IS NULL OR used_at < now() - interval '1 hour');
