-- Defines a site, anew or again.
-- $1 name, $2 definition (JSON), $3 owner id of who does it.
-- Result: one row: created. Locks: the site.
WITH e AS (
	INSERT INTO sortie.event (kind, owner_id, text)
	VALUES ('site defined', $3::int, $1::text))
INSERT INTO sortie.site (name, definition) VALUES ($1::text, $2::jsonb)
ON CONFLICT (name) DO UPDATE
	SET definition = excluded.definition, defined_at = now()
RETURNING xmax = 0 AS created
