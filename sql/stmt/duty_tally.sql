-- Folds the counters of buckets that no server owns any more into bucket -1,
-- and forgets minutes after 8 days. Takes the advisory lock 7007 or does
-- nothing.
WITH l AS MATERIALIZED (
	SELECT 1 WHERE pg_try_advisory_xact_lock(7007)),
d AS (
	DELETE FROM sortie.tally AS t USING l
	WHERE t.bucket >= 0 AND NOT EXISTS (SELECT 1 FROM sortie.server AS s
		WHERE s.bucket = t.bucket / 16)
	RETURNING t.kind_id, t.state, t.n),
p AS (
	INSERT INTO sortie.tally AS t (bucket, kind_id, state, n)
	SELECT -1, d.kind_id, d.state, sum(d.n) FROM d
	GROUP BY d.kind_id, d.state HAVING sum(d.n) <> 0
	ON CONFLICT (bucket, kind_id, state) DO UPDATE
		SET n = t.n + excluded.n),
m AS (
	DELETE FROM sortie.tally_minute AS t USING l
	WHERE t.minute < extract(epoch FROM now())::bigint / 60 - 11520)
SELECT count(*) FROM d
