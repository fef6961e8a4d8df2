-- Gives up pilots whose lease is over. $1 bucket, $2 loss budget, $3 server,
-- $4 its ticks, $5 at most so many. Returns each pilot and the runs it lost.
-- Locks pilots, live runs, projects, limits.
SELECT e.pilot, e.runs
FROM sortie.expire_1($1::int, $2::int, $3::bigint, $4::bigint, $5::int) AS e
