-- Forgets a site; pilots that are there stay.
-- $1 name, $2 owner id of who does it.
-- Result: a row when it was there. Locks: the site.
WITH d AS (
	DELETE FROM sortie.site WHERE name = $1::text RETURNING name),
e AS (
	INSERT INTO sortie.event (kind, owner_id, text)
	SELECT 'site deleted', $2::int, d.name FROM d)
SELECT name FROM d
