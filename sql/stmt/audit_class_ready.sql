-- Breaches of: classes with queued jobs are marked so, and active, and none of
-- these jobs stands before the head that was noted.
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'class ' || q.class_id || CASE
	WHEN c.class_id IS NULL THEN ' has queued jobs and is unknown'
	WHEN NOT c.active THEN ' has queued jobs and is asleep'
	WHEN r.class_id IS NULL
		THEN ' has queued jobs and is not marked as having any'
	ELSE ' has a queued job, ' || q.number || ', before its head' END
FROM (SELECT DISTINCT ON (class_id) class_id, number FROM sortie.queue
	ORDER BY class_id, place, turn, number) AS q
LEFT JOIN sortie.class c ON c.class_id = q.class_id
LEFT JOIN sortie.class_ready r ON r.class_id = q.class_id
LEFT JOIN LATERAL sortie.queue_head_1(q.class_id) AS h ON true
WHERE c.class_id IS NULL OR NOT c.active OR r.class_id IS NULL
	OR h.number IS DISTINCT FROM q.number
ORDER BY q.class_id LIMIT 20
