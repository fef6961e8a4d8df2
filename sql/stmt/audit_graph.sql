-- Breaches of: a job gets into line when its conditions are met, exactly once
-- (I10): nodes count what their edges say (a parent that has ended tells its
-- children, or is left to a duty), and nothing waits for what has happened or
-- runs before it has.
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'job ' || f.number || ' has edges to tell and ' || CASE
	WHEN n.number IS NULL THEN 'is not in workflow ' || f.workflow
	ELSE 'has not ended' END
FROM sortie.firing f
LEFT JOIN sortie.node n ON n.number = f.number AND n.workflow = f.workflow
LEFT JOIN sortie.ended e ON e.number = f.number
WHERE n.number IS NULL OR e.number IS NULL
UNION ALL
SELECT 'job ' || n.number || ' counts ' || n.open || ' open conditions ('
	|| n.met || ', ' || n.unmet || '), its edges say '
	|| coalesce(x.open, 0) || ' (' || coalesce(x.met, true) || ', '
	|| coalesce(x.unmet, false) || ')'
FROM sortie.node n
JOIN sortie.workflow g ON g.workflow = n.workflow AND NOT g.deleting
LEFT JOIN (SELECT d.child, count(*) - count(d.met) AS open,
		coalesce(bool_or(d.met), false) AS met,
		coalesce(bool_or(NOT d.met), false) AS unmet
	FROM sortie.edges_1() AS d GROUP BY d.child) AS x ON x.child = n.number
WHERE (n.open, n.met, n.unmet) IS DISTINCT FROM (coalesce(x.open, 0),
	coalesce(x.met, true), coalesce(x.unmet, false))
UNION ALL
SELECT 'job ' || n.number || ' waits (' || w.why || ') although its conditions '
	|| CASE WHEN c.ready THEN 'are met' ELSE 'cannot be met any more' END
FROM sortie.waiting w
JOIN sortie.node n ON n.number = w.number
JOIN sortie.workflow g ON g.workflow = n.workflow
CROSS JOIN LATERAL (SELECT CASE WHEN n.any_of THEN n.met
		ELSE n.open = 0 AND NOT n.unmet END AS ready,
	CASE WHEN n.any_of THEN n.open = 0 AND NOT n.met ELSE n.unmet END
		AS skip) AS c
WHERE w.why = 'after' AND g.state = 'running' AND g.cancelling IS NULL
		AND c.ready AND coalesce(n.number <= g.look_after, true)
	OR w.why IN ('after', 'held') AND c.skip
UNION ALL
SELECT 'job ' || w.number || ' waits (' || w.why || ') and is in no workflow'
FROM sortie.waiting w
LEFT JOIN sortie.node n ON n.number = w.number
	AND n.workflow = w.workflow
WHERE w.why IN ('after', 'share') AND n.number IS NULL
UNION ALL
SELECT 'job ' || w.number || ' waits behind the gate of a workflow without a '
	|| 'maximum'
FROM sortie.waiting w
JOIN sortie.workflow g ON g.workflow = w.workflow
WHERE w.why = 'share' AND g.max_running IS NULL AND g.cancelling IS NULL
	AND coalesce(w.number <= g.look_after, true)
UNION ALL
SELECT 'job ' || n.number || CASE WHEN j.number IS NULL
	THEN ', a node, does not exist' WHEN g.workflow IS NULL
	THEN ' is in workflow ' || n.workflow || ', which does not exist'
	ELSE ' runs nothing and is queued' END
FROM sortie.node n
LEFT JOIN sortie.job j ON j.number = n.number
LEFT JOIN sortie.workflow g ON g.workflow = n.workflow
WHERE j.number IS NULL OR g.workflow IS NULL
	OR n.noop AND (EXISTS (SELECT 1 FROM sortie.queue q
		WHERE q.number = n.number)
	OR EXISTS (SELECT 1 FROM sortie.live l WHERE l.number = n.number))
UNION ALL
SELECT 'the edge from job ' || d.parent || ' to job ' || d.child
	|| ' has an end that is no node'
FROM sortie.edge d
WHERE NOT EXISTS (SELECT 1 FROM sortie.node n WHERE n.number = d.parent)
	OR NOT EXISTS (SELECT 1 FROM sortie.node n WHERE n.number = d.child)
LIMIT 20
