-- Adds up what was counted of stored bytes one by one. Takes the advisory lock
-- 7010 or does nothing. Returns how many rows were added up.
WITH l AS MATERIALIZED (
	SELECT 1 WHERE pg_try_advisory_xact_lock(7010)),
g AS MATERIALIZED (
	SELECT s.owner_id, s.what FROM sortie.stored AS s
	GROUP BY s.owner_id, s.what HAVING count(*) > 1),
d AS (
	DELETE FROM sortie.stored AS s USING l, g
	WHERE s.owner_id = g.owner_id AND s.what = g.what
	RETURNING s.owner_id, s.what, s.bytes),
i AS (
	INSERT INTO sortie.stored (owner_id, what, bytes)
	SELECT d.owner_id, d.what, sum(d.bytes) FROM d
	GROUP BY d.owner_id, d.what HAVING sum(d.bytes) <> 0)
SELECT count(*) FROM d
