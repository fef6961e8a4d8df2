-- Notes that a blob is in the blob directory. $1 SHA-256, $2 size, $3 owner
-- id. Returns whether it is new. Locks its row.
SELECT sortie.blob_record_1($1::bytea, $2::bigint, $3::int)
