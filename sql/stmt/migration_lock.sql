-- One server at a time prepares a database: a lock of the session.
-- No parameters.
SELECT pg_advisory_lock(1936683625, 1);
