-- Begins a transaction of migrate.c. No parameters.
BEGIN;
