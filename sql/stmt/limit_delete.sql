-- Forgets a limit.
-- $1 name, $2 owner id of who does it.
-- Result: one row: NULL when there is none, false when jobs that have not
-- ended want it, else true. Locks: advisory 7000, 7004, the table of live
-- runs.
WITH d AS MATERIALIZED (
	SELECT sortie.limit_delete_1($1::text) AS done),
e AS (
	INSERT INTO sortie.event (kind, owner_id, text)
	SELECT 'limit deleted', $2::int, $1::text FROM d WHERE d.done)
SELECT d.done FROM d
