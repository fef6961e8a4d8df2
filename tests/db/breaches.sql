-- What the rows must say of each other at any time (I1, I6, I9): a row for each
-- breach.
CREATE FUNCTION t.breaches() RETURNS TABLE (rule text, what text)
LANGUAGE sql AS $$
WITH place AS (
	SELECT number, 'queue' AS at, class_id, kind_id, place, attempt
	FROM sortie.queue
	UNION ALL SELECT number, 'waiting', class_id, kind_id, place, attempt
	FROM sortie.waiting
	UNION ALL SELECT number, 'live', class_id, kind_id, place, attempt
	FROM sortie.live
	UNION ALL SELECT number, 'ended', NULL, kind_id, NULL, NULL
	FROM sortie.ended),
state AS (
	SELECT kind_id, 'defined'::sortie.job_state AS state FROM sortie.queue
	UNION ALL SELECT kind_id, CASE why WHEN 'held' THEN 'held'
		ELSE 'waiting' END::sortie.job_state FROM sortie.waiting
	UNION ALL SELECT kind_id, CASE WHEN running THEN 'running'
		ELSE 'dispatched' END::sortie.job_state FROM sortie.live
	UNION ALL SELECT kind_id, state FROM sortie.ended),
held AS (
	SELECT l.pilot, c.limit_ids, c.limit_counts, c.cores, c.memory
	FROM sortie.live l JOIN sortie.class c USING (class_id))
SELECT 'a job is in one place', j.number || ': '
	|| coalesce(string_agg(p.at, ','), 'nowhere')
FROM sortie.job j LEFT JOIN place p USING (number)
GROUP BY j.number HAVING count(p.at) <> 1
UNION ALL
SELECT 'what is somewhere is a job', p.number || ' ' || p.at
FROM place p LEFT JOIN sortie.job j USING (number) WHERE j.number IS NULL
UNION ALL
SELECT 'place is the priority, class and kind the job''s', p.number || ' ' || p.at
FROM place p JOIN sortie.job j USING (number)
WHERE p.place <> ~j.priority OR p.class_id <> j.class_id
	OR p.kind_id <> j.kind_id
UNION ALL
SELECT 'counters', a.kind_id || ' ' || a.state || ': ' || a.n || ' for ' || a.m
FROM (SELECT kind_id, state, sum(n) AS n, sum(m) AS m
	FROM (SELECT kind_id, state, n, 0 AS m FROM sortie.tally
		UNION ALL
		SELECT kind_id, state, 0, 1 FROM state) AS u
	GROUP BY kind_id, state) AS a
WHERE a.n <> a.m
UNION ALL
SELECT 'limits', l.name || ': ' || l.used || ' for ' || coalesce(h.n, 0)
FROM sortie.lim l
LEFT JOIN (SELECT u.limit_id, sum(u.n) AS n
	FROM held, unnest(limit_ids, limit_counts) AS u(limit_id, n)
	GROUP BY u.limit_id) AS h USING (limit_id)
WHERE l.used <> coalesce(h.n, 0)
UNION ALL
SELECT 'room', p.pilot || ': ' || p.used_slots || ',' || p.used_cores || ','
	|| p.used_memory || ' for ' || coalesce(h.n, 0) || ','
	|| coalesce(h.c, 0) || ',' || coalesce(h.m, 0)
FROM sortie.pilot_room p
LEFT JOIN (SELECT pilot, count(*) AS n, sum(cores) AS c, sum(memory) AS m
	FROM held GROUP BY pilot) AS h USING (pilot)
WHERE (p.used_slots, p.used_cores, p.used_memory)
	<> (coalesce(h.n, 0), coalesce(h.c, 0), coalesce(h.m, 0))
UNION ALL
SELECT 'a live run has a pilot with room', l.number::text
FROM sortie.live l LEFT JOIN sortie.pilot_room p USING (pilot)
WHERE p.pilot IS NULL
UNION ALL
SELECT 'gates', p.name || ': ' || p.admitted || ' for ' || coalesce(h.n, 0)
FROM sortie.project p
LEFT JOIN (SELECT k.project_id, count(*) AS n FROM place
	JOIN sortie.kind k USING (kind_id) WHERE at IN ('queue', 'live')
	GROUP BY k.project_id) AS h USING (project_id)
WHERE p.admitted <> CASE WHEN p.max_running IS NULL THEN 0
	ELSE coalesce(h.n, 0) END
UNION ALL
SELECT 'only projects with a maximum have a gate', w.number::text
FROM sortie.waiting w JOIN sortie.project p USING (project_id)
WHERE w.why = 'gate' AND p.max_running IS NULL
UNION ALL
SELECT 'queued classes are marked', q.class_id::text
FROM (SELECT DISTINCT class_id FROM sortie.queue) AS q
WHERE NOT EXISTS (SELECT 1 FROM sortie.class_ready r
	WHERE r.class_id = q.class_id)
UNION ALL
SELECT 'no job stands before the head of its class', q.number::text
FROM (SELECT DISTINCT ON (class_id) * FROM sortie.queue
	ORDER BY class_id, place, turn, number) AS q
LEFT JOIN LATERAL sortie.queue_head_1(q.class_id) AS h ON true
WHERE h.number IS DISTINCT FROM q.number
UNION ALL
SELECT DISTINCT 'classes of jobs that have not ended are awake', c.class_id::text
FROM place p JOIN sortie.class c USING (class_id) WHERE NOT c.active
UNION ALL
SELECT 'fitting profiles', c.class_id::text FROM sortie.class c
WHERE c.active AND EXISTS (SELECT 1 FROM sortie.profile p
	WHERE sortie.fits_1(p, c) <> (p.profile_id = ANY (c.profiles)))
UNION ALL
SELECT 'runs are numbered without a hole', p.number::text
FROM place p
LEFT JOIN (SELECT number, max(attempt) AS last, count(*) AS n
	FROM sortie.run GROUP BY number) AS r USING (number)
WHERE coalesce(r.last, 0) <> coalesce(r.n, 0)
	OR p.at <> 'ended' AND p.attempt <> coalesce(r.last, 0) + 1
UNION ALL
SELECT 'a job ends as its last run', e.number || ' ' || e.state || ' '
	|| r.state
FROM sortie.ended e JOIN LATERAL (SELECT state FROM sortie.run r
	WHERE r.number = e.number ORDER BY attempt DESC LIMIT 1) AS r ON true
WHERE e.state IN ('finished', 'failed', 'timelimit')
	AND e.state::text <> r.state::text
	OR r.state = 'finished' AND e.state NOT IN ('finished', 'cancelled')
$$;
