-- Begins the transaction of audit.c: one snapshot for all checks.
-- No parameters, no result. Locks: none.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY
