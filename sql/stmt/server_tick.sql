-- One tick of service time. $1 server, $2 its new ticks. Returns all servers'
-- rows with their ticks, its own only when that still exists. Locks its row.
WITH t AS (
	UPDATE sortie.server SET ticks = $2::bigint
	WHERE server = $1::bigint
	RETURNING server, ticks)
SELECT t.server, t.ticks FROM t
UNION ALL
SELECT s.server, s.ticks FROM sortie.server AS s WHERE s.server <> $1::bigint
