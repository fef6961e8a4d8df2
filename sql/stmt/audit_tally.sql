-- Breaches of: the counters of jobs equal what the rows say (I6).
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'counter of ' || coalesce(t.state, x.state) || ' jobs of kind '
	|| coalesce(t.kind_id, x.kind_id) || ' is ' || coalesce(t.n, 0)
	|| ', the rows say ' || coalesce(x.n, 0)
FROM (SELECT kind_id, state, sum(n) AS n FROM sortie.tally
	GROUP BY kind_id, state) AS t
FULL JOIN (SELECT u.kind_id, u.state, count(*) AS n
	FROM (SELECT kind_id, 'defined'::sortie.job_state AS state
		FROM sortie.queue
		UNION ALL
		SELECT kind_id, CASE why WHEN 'held' THEN 'held'
			ELSE 'waiting' END::sortie.job_state
		FROM sortie.waiting
		UNION ALL
		SELECT kind_id, CASE WHEN running THEN 'running'
			ELSE 'dispatched' END::sortie.job_state
		FROM sortie.live
		UNION ALL
		SELECT kind_id, state FROM sortie.ended) AS u
	GROUP BY u.kind_id, u.state) AS x
	ON x.kind_id = t.kind_id AND x.state = t.state
WHERE coalesce(t.n, 0) <> coalesce(x.n, 0)
ORDER BY 1 LIMIT 20
