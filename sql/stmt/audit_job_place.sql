-- Breaches of: every job is in exactly one of queue, waiting, live and ended, and
-- nothing is there without a job.
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'job ' || coalesce(j.number, x.number) || CASE
	WHEN j.number IS NULL THEN ' does not exist and is in ' || x.places
	WHEN x.number IS NULL THEN
		' is in none of queue, waiting, live and ended'
	ELSE ' is in ' || x.places END
FROM (SELECT u.number, string_agg(u.place, ' and ' ORDER BY u.place) AS places,
		count(*) AS n
	FROM (SELECT number, 'queue' AS place FROM sortie.queue
		UNION ALL SELECT number, 'waiting' FROM sortie.waiting
		UNION ALL SELECT number, 'live' FROM sortie.live
		UNION ALL SELECT number, 'ended' FROM sortie.ended) AS u
	GROUP BY u.number) AS x
FULL JOIN sortie.job j ON j.number = x.number
WHERE j.number IS NULL OR x.n IS DISTINCT FROM 1
LIMIT 20
