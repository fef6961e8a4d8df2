-- How a callback went: done, or to be tried again, or given up.
-- $1 number, $2 why it failed (NULL: it is done), $3 seconds until the next
-- try, $4 seconds after which it is given up.
-- Result: a row when it was given up. Locks: the callback.
WITH gone AS (
	DELETE FROM sortie.callback c
	WHERE c.callback = $1::bigint AND ($2::text IS NULL
		OR c.created_at < now() - make_interval(secs => $4::int))
	RETURNING c.url, c.workflow, c.job, c.tries),
again AS (
	UPDATE sortie.callback c
	SET last_error = $2::text,
		due = now() + make_interval(secs => $3::int)
	WHERE c.callback = $1::bigint AND $2::text IS NOT NULL
		AND c.created_at >= now() - make_interval(secs => $4::int)),
told AS (
	INSERT INTO sortie.event (kind, owner_id, job, text, detail)
	SELECT 'callback given up', w.owner_id, g.job, left($2::text, 1000),
		json_strip_nulls(json_build_object('url', g.url,
			'workflow', g.workflow, 'tries', g.tries))
	FROM gone g LEFT JOIN sortie.workflow w ON w.workflow = g.workflow
	WHERE $2::text IS NOT NULL)
SELECT g.url FROM gone g WHERE $2::text IS NOT NULL
