-- A dag's document.
-- $1 name, $2 version (NULL: the newest).
-- Result: no row when there is none; else document, version, description,
-- owner's name. Locks: none.
SELECT d.document, d.version, d.description, o.name
FROM sortie.dag d
JOIN sortie.owner o ON o.owner_id = d.owner_id
WHERE d.name = $1::text AND ($2::int IS NULL OR d.version = $2::int)
ORDER BY d.version DESC LIMIT 1
