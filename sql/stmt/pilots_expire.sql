-- Gives up pilots whose lease is over. $1 bucket, $2 loss budget, $3 server,
-- $4 its ticks, $5 at most so many. Returns a row 'p' for each pilot and the
-- runs it lost, then what that has ended and set going (pilot_leave_2).
-- Locks pilots, live runs, workflows, projects, limits.
SELECT e.what, e.number, e.runs
FROM sortie.expire_2($1::int, $2::int, $3::bigint, $4::bigint, $5::int) AS e
