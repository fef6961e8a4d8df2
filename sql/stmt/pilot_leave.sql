-- A pilot leaves. $1 bucket, $2 loss budget, $3 pilot. Returns no row when it
-- was not there, else a row 'p', then what that has ended and set going.
-- Locks the pilot, its live runs, workflows, projects, limits.
SELECT l.what, l.number
FROM sortie.pilot_leave_2($1::int, $2::int, $3::bigint) AS l
