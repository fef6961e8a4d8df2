-- Forgets a datatype.
-- $1 owner id (NULL: administrators), $2 owner id of who does it, $3 name.
-- Result: one row: whether there was one. Locks: the datatype.
SELECT sortie.datatype_delete_1($1::int, $2::int, $3::text)
