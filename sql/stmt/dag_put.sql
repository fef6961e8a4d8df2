-- Stores a dag's document.
-- $1 owner id (NULL: administrators), $2 owner id of who does it, $3 name,
-- $4 description (NULL: as it was), $5 document, $6 jobs, $7 edges.
-- Result: one row: version, created. Locks: advisory 7009 of the name.
SELECT version, created
FROM sortie.dag_put_1($1::int, $2::int, $3::text, $4::text, $5::text, $6::int,
	$7::int)
