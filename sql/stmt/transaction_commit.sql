-- Ends a transaction of migrate.c. No parameters.
COMMIT;
