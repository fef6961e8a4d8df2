-- Takes over the pilots of a server that stands still and removes its row.
-- $1 server, $2 lease tick, $3 the dead server, $4 its ticks as last seen.
-- Returns how many pilots. Locks the dead server's row and the pilots.
SELECT sortie.adopt_1($1::bigint, $2::bigint, $3::bigint, $4::bigint)
