-- One step of retention: a duty, run again soon while `more` is true.
-- $1 bucket of the counters, $2 seconds that ended jobs are kept, $3 seconds
-- that events are kept (0 = for ever), $4 jobs at most.
-- Result: one row: jobs, events, pilots removed, more.
-- Locks: advisory 7006 (tried), rows of ended jobs (skips locked ones).
SELECT jobs, events, pilots, more
FROM sortie.retention_step_1($1::int, $2::bigint, $3::bigint, $4::int)
