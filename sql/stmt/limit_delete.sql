-- Forgets a limit.
-- $1 name. Result: one row: NULL when there is none, false when jobs that have
-- not ended want it, else true. Locks: advisory 7000, 7004, the table of live
-- runs.
SELECT sortie.limit_delete_1($1::text)
