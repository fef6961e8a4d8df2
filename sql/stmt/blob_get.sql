-- The size of blob $1. No locks.
SELECT b.size FROM sortie.blob AS b WHERE b.sha256 = $1::bytea
