-- Breaches of: classes with queued jobs are marked so, and active.
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'class ' || q.class_id || ' has queued jobs and is ' || CASE
	WHEN c.class_id IS NULL THEN 'unknown'
	WHEN NOT c.active THEN 'asleep'
	ELSE 'not marked as having any' END
FROM (SELECT DISTINCT class_id FROM sortie.queue) AS q
LEFT JOIN sortie.class c ON c.class_id = q.class_id
LEFT JOIN sortie.class_ready r ON r.class_id = q.class_id
WHERE c.class_id IS NULL OR NOT c.active OR r.class_id IS NULL
ORDER BY q.class_id LIMIT 20
