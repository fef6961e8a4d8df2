-- Whether a file may be put. $1 SHA-256, $2 size, $3 owner id. Returns whether it
-- is not there yet. Locks: none.
SELECT sortie.blob_room_1($1::bytea, $2::bigint, $3::int)
