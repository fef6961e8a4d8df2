-- Takes note of an applied migration, in its own transaction; 0 are the
-- functions, which are applied again and again.
-- $1 number, $2 name, $3 SHA-256 of the text.
INSERT INTO sortie.migration (number, name, checksum)
VALUES ($1::int, $2::text, $3::text)
ON CONFLICT (number) DO UPDATE SET checksum = excluded.checksum,
	applied_at = now();
