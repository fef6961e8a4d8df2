-- Breaches of: what limits count as used is what live runs hold (I6).
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'limit "' || l.name || '" counts ' || l.used || ' as used, live runs '
	|| 'hold ' || coalesce(x.n, 0)
FROM sortie.lim l
LEFT JOIN (SELECT u.limit_id, sum(u.n) AS n
	FROM sortie.live v
	JOIN sortie.class c ON c.class_id = v.class_id
	CROSS JOIN LATERAL unnest(c.limit_ids, c.limit_counts)
		AS u(limit_id, n)
	GROUP BY u.limit_id) AS x ON x.limit_id = l.limit_id
WHERE l.used <> coalesce(x.n, 0)
ORDER BY l.name LIMIT 20
