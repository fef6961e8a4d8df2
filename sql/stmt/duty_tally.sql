-- Folds the counters of eras that are over into bucket -1, but for the last one,
-- in which somebody may still count; those of minutes likewise, which are
-- forgotten after 8 days. Takes the advisory lock 7007 or does nothing.
WITH l AS MATERIALIZED (
	SELECT 1 WHERE pg_try_advisory_xact_lock(7007)),
d AS (
	DELETE FROM sortie.tally AS t USING l
	WHERE t.bucket >= 0
	AND (sortie.tally_era_1() - t.bucket / 200000 + 10000) % 10000 > 1
	RETURNING t.kind_id, t.state, t.n),
p AS (
	INSERT INTO sortie.tally AS t (bucket, kind_id, state, n)
	SELECT -1, d.kind_id, d.state, sum(d.n) FROM d
	GROUP BY d.kind_id, d.state HAVING sum(d.n) <> 0
	ON CONFLICT (bucket, kind_id, state) DO UPDATE
		SET n = t.n + excluded.n),
md AS (
	DELETE FROM sortie.tally_minute AS t USING l
	WHERE t.minute BETWEEN extract(epoch FROM now())::bigint / 60 - 60
		AND extract(epoch FROM now())::bigint / 60 - 2
	AND t.bucket >= 0
	RETURNING t.minute, t.kind_id, t.what, t.n),
mp AS (
	INSERT INTO sortie.tally_minute AS t (minute, bucket, kind_id, what, n)
	SELECT md.minute, -1, md.kind_id, md.what, sum(md.n) FROM md
	GROUP BY md.minute, md.kind_id, md.what
	ON CONFLICT (minute, bucket, kind_id, what) DO UPDATE
		SET n = t.n + excluded.n),
m AS (
	DELETE FROM sortie.tally_minute AS t USING l
	WHERE t.minute < extract(epoch FROM now())::bigint / 60 - 11520)
SELECT count(*) FROM d
