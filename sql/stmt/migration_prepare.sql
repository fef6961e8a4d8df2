-- Makes the table of applied migrations where it is not there. No parameters,
-- no result; run under the lock of migration_lock.
CREATE SCHEMA IF NOT EXISTS sortie;
CREATE TABLE IF NOT EXISTS sortie.migration (
	number       int PRIMARY KEY,
	name         text NOT NULL,
	checksum     text NOT NULL,
	applied_at   timestamptz NOT NULL DEFAULT now()
);
