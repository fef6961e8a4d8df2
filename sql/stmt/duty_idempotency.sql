-- Forgets Idempotency-Keys after 7 days, at most $1. Returns how many. Locks
-- their rows (skips locked ones).
WITH d AS (
	DELETE FROM sortie.idempotency AS i
	USING (SELECT o.owner_id, o.key FROM sortie.idempotency AS o
		WHERE o.created_at < now() - interval '7 days'
		ORDER BY o.created_at LIMIT $1::int
		FOR UPDATE SKIP LOCKED) AS x
	WHERE i.owner_id = x.owner_id AND i.key = x.key
	RETURNING 1)
SELECT count(*) FROM d
