-- Breaches of: the attempts of a job are numbered 1, 2, 3 without a gap, and what is
-- live or to come has the next number.
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'job ' || x.number || ' has ' || x.n || ' runs, the last of them number '
	|| x.last
FROM (SELECT number, count(*) AS n, max(attempt) AS last, min(attempt) AS first
	FROM sortie.run GROUP BY number) AS x
WHERE x.n <> x.last OR x.first <> 1
UNION ALL
SELECT 'job ' || a.number || ' has attempt ' || a.attempt || ' in ' || a.place
	|| ' after ' || coalesce(r.last, 0) || ' ended runs'
FROM (SELECT number, attempt, 'live' AS place FROM sortie.live
	UNION ALL SELECT number, attempt, 'queue' FROM sortie.queue
	UNION ALL SELECT number, attempt, 'waiting' FROM sortie.waiting) AS a
LEFT JOIN LATERAL (SELECT max(x.attempt) AS last FROM sortie.run x
	WHERE x.number = a.number) AS r ON true
WHERE a.attempt <> coalesce(r.last, 0) + 1
LIMIT 20
