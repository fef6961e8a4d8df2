-- Takes callbacks that are due: nobody else does for a while.
-- $1 how many at most, $2 seconds until another try if nobody says how it went.
-- Result: a row for each: number, url, body, how often it was tried before.
-- Locks: the callbacks (skips locked ones).
UPDATE sortie.callback c
SET tries = c.tries + 1, due = now() + make_interval(secs => $2::int)
FROM (SELECT x.callback FROM sortie.callback x WHERE x.due <= now()
	ORDER BY x.due LIMIT $1::int FOR UPDATE SKIP LOCKED) AS t
WHERE c.callback = t.callback
RETURNING c.callback, c.url, c.body, c.tries - 1
