-- Gives up a transaction of migrate.c. No parameters.
ROLLBACK;
