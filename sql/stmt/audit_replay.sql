-- Breaches of: runs and events tell what happened (I11): times of a run are in order,
-- an end by a run has the run's time, and what ended without one has an event
-- (as far back as events are kept).
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'run ' || r.attempt || ' of job ' || r.number
	|| ' was granted, started and ended at ' || r.granted_at || ', '
	|| coalesce(r.started_at::text, '-') || ', ' || r.ended_at
FROM sortie.run r
WHERE r.ended_at < r.granted_at OR r.started_at < r.granted_at
	OR r.ended_at < r.started_at
UNION ALL
SELECT 'job ' || e.number || ' ended at ' || e.ended_at
	|| ', its last run at ' || r.ended_at
FROM sortie.ended e
JOIN LATERAL (SELECT x.state, x.ended_at FROM sortie.run x
	WHERE x.number = e.number ORDER BY x.attempt DESC LIMIT 1) AS r ON true
WHERE r.state::text = e.state::text AND r.ended_at <> e.ended_at
	AND e.state <> 'cancelled'
UNION ALL
SELECT 'job ' || e.number || ' was cancelled and no event says so'
FROM sortie.ended e
WHERE e.state = 'cancelled'
	AND e.ended_at > (SELECT min(v.at) FROM sortie.event v)
	AND NOT EXISTS (SELECT 1 FROM sortie.event v WHERE v.job = e.number
		AND v.kind IN ('cancelled', 'cancel asked'))
	AND NOT EXISTS (SELECT 1 FROM sortie.run r WHERE r.number = e.number
		AND r.state = 'cancelled')
UNION ALL
SELECT 'job ' || e.number || ' ended without a run (' || e.state
	|| ') and no event says so'
FROM sortie.node n
JOIN sortie.ended e ON e.number = n.number
WHERE (e.state = 'skipped' OR n.noop AND e.state = 'finished')
	AND e.ended_at > (SELECT min(v.at) FROM sortie.event v)
	AND NOT EXISTS (SELECT 1 FROM sortie.event v WHERE v.job = e.number
		AND v.kind = e.state::text)
LIMIT 20
