-- Notes that a blob is in the blob directory. $1 SHA-256, $2 size. Returns
-- whether it is new. Locks its row.
INSERT INTO sortie.blob (sha256, size)
VALUES ($1::bytea, $2::bigint)
ON CONFLICT (sha256) DO UPDATE SET put_at = now()
RETURNING xmax = 0
