-- Breaches of: what a project with a maximum counts as admitted are its queued and
-- live jobs (I6).
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'project "' || p.name || '" counts ' || p.admitted
	|| ' jobs as admitted, the rows say ' || coalesce(x.n, 0)
FROM sortie.project p
LEFT JOIN (SELECT k.project_id, count(*) AS n
	FROM (SELECT kind_id FROM sortie.queue
		UNION ALL SELECT kind_id FROM sortie.live) AS u
	JOIN sortie.kind k ON k.kind_id = u.kind_id
	GROUP BY k.project_id) AS x ON x.project_id = p.project_id
WHERE p.max_running IS NOT NULL AND p.admitted <> coalesce(x.n, 0)
UNION ALL
SELECT 'job ' || w.number || ' waits at the gate of a project without a '
	|| 'maximum'
FROM sortie.waiting w
JOIN sortie.project p ON p.project_id = w.project_id
WHERE w.why = 'gate' AND p.max_running IS NULL
LIMIT 20
