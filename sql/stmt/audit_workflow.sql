-- Breaches of: what workflows count is what the rows say (I6), a workflow has
-- ended exactly when its jobs have and no more can come, and its state says how.
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'workflow ' || g.workflow || ' (' || g.state || ') counts ' || g.n_jobs
	|| ' jobs, ' || g.n_ended || ' ended, ' || g.n_bad || ' badly, '
	|| g.admitted || ' admitted; the rows say ' || coalesce(x.n, 0) || ', '
	|| coalesce(x.ended, 0) || ', ' || coalesce(x.bad, 0) || ', '
	|| coalesce(x.admitted, 0)
FROM sortie.workflow g
LEFT JOIN (SELECT n.workflow, count(*) AS n, count(e.number) AS ended,
		count(*) FILTER (WHERE e.state IN ('failed', 'timelimit',
			'lost', 'cancelled') AND NOT n.allow_failure) AS bad,
		count(*) FILTER (WHERE n.admitted) AS admitted
	FROM sortie.node n
	LEFT JOIN sortie.ended e ON e.number = n.number
	GROUP BY n.workflow) AS x ON x.workflow = g.workflow
WHERE g.n_jobs <> coalesce(x.n, 0) OR g.n_ended <> coalesce(x.ended, 0)
	OR g.n_bad <> coalesce(x.bad, 0) OR g.admitted <> coalesce(x.admitted, 0)
UNION ALL
SELECT 'workflow ' || g.workflow || ' is ' || g.state || CASE
	WHEN g.ended_at IS NULL THEN ' and has not ended'
	ELSE ' and ended at ' || g.ended_at END || '; ' || g.n_ended || ' of '
	|| g.n_jobs || ' jobs have ended, ' || g.n_bad || ' badly'
	|| CASE WHEN g.open THEN ', it is open' ELSE '' END
FROM sortie.workflow g
WHERE NOT g.deleting AND ((g.ended_at IS NULL)
		<> (g.state IN ('held', 'running'))
	OR g.ended_at IS NOT NULL AND (g.open OR g.n_ended <> g.n_jobs)
	OR g.ended_at IS NULL AND g.n_jobs > 0 AND g.n_ended = g.n_jobs
		AND (NOT g.open OR g.close_auto)
		AND NOT EXISTS (SELECT 1 FROM sortie.again a
			WHERE a.workflow = g.workflow)
	OR g.state = 'finished' AND g.n_bad > 0
	OR g.state = 'failed' AND g.n_bad = 0
	OR g.state = 'cancelled' AND g.cancelling IS DISTINCT FROM 'hand')
LIMIT 20
