-- One site.
-- $1 name. Result: no row when there is none; else definition (JSON).
-- Locks: none.
SELECT definition::text FROM sortie.site WHERE name = $1::text
