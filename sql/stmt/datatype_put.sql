-- Defines a datatype.
-- $1 owner id (NULL: administrators), $2 owner id of who does it, $3 name,
-- $4 extension, $5 comment.
-- Result: one row: created, the owner's name. Locks: the datatype.
SELECT d.created, d.owner
FROM sortie.datatype_put_1($1::int, $2::int, $3::text, $4::text, $5::text) AS d
