-- The migrations that the database has: number, SHA-256 of the text.
SELECT number, checksum FROM sortie.migration ORDER BY number;
