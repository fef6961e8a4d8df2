-- Forgets a dag or one version of it.
-- $1 owner id (NULL: administrators), $2 owner id of who does it, $3 name,
-- $4 version (NULL: all).
-- Result: one row: how many versions went. Locks: advisory 7009 of the name.
SELECT sortie.dag_delete_1($1::int, $2::int, $3::text, $4::int)
