-- Whether Sortie has never been in this database. Result: one row: 1 or 0.
-- Locks: none.
SELECT (to_regclass('sortie.migration') IS NULL)::int::bigint
