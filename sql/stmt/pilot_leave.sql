-- A pilot leaves. $1 bucket, $2 loss budget, $3 pilot. Returns whether it was
-- there. Locks the pilot, its live runs, projects, limits.
SELECT sortie.pilot_leave_1($1::int, $2::int, $3::bigint)
