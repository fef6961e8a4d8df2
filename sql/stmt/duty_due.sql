-- Jobs whose time has come get into line. $1 bucket, $2 jobs at most. Returns
-- how many. Locks waiting jobs (skips locked ones), projects.
SELECT sortie.due_1($1::int, $2::int)
