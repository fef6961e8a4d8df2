-- Breaches of: what owners are counted to have stored is what the rows say (I6).
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'owner ' || coalesce(t.owner_id, x.owner_id) || ' is counted '
	|| coalesce(t.n, 0) || ' bytes of ' || CASE coalesce(t.what, x.what)
		WHEN 'j' THEN 'jobs' WHEN 'o' THEN 'output'
		ELSE 'datasets' END
	|| ', the rows say ' || coalesce(x.n, 0)
FROM (SELECT s.owner_id, s.what, sum(s.bytes) AS n FROM sortie.stored s
	GROUP BY s.owner_id, s.what) AS t
FULL JOIN (SELECT k.owner_id, 'j'::"char" AS what, sum(j.bytes) AS n
	FROM sortie.job j JOIN sortie.kind k ON k.kind_id = j.kind_id
	GROUP BY k.owner_id
	UNION ALL
	SELECT o.owner_id, 'o', sum(o.len) FROM sortie.output o
	WHERE o.owner_id IS NOT NULL GROUP BY o.owner_id
	UNION ALL
	SELECT d.owner_id, 'd', sum(d.bytes) FROM sortie.dataset d
	WHERE d.state <> 'deleted' GROUP BY d.owner_id) AS x
	ON x.owner_id = t.owner_id AND x.what = t.what
WHERE coalesce(t.n, 0) <> coalesce(x.n, 0)
ORDER BY 1 LIMIT 20
