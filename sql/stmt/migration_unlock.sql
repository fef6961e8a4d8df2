-- Gives up the lock of migration_lock. No parameters.
SELECT pg_advisory_unlock(1936683625, 1);
