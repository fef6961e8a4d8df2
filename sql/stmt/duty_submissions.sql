-- Drops submissions that were not committed within $1 seconds, with their
-- parts, at most $2 of them. Returns how many. Locks their rows (skips locked
-- ones).
WITH s AS (
	DELETE FROM sortie.submission AS s
	WHERE s.submission_id IN (SELECT x.submission_id
		FROM sortie.submission AS x
		WHERE x.created_at < now() - make_interval(secs => $1::int)
		LIMIT $2::int FOR UPDATE SKIP LOCKED)
	RETURNING s.submission_id),
t AS (
	DELETE FROM sortie.staged AS t USING s
	WHERE t.submission_id = s.submission_id)
SELECT count(*) FROM s
