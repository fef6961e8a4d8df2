-- Breaches of: what the narrow tables copy of a job is what the job says (kind,
-- class, place in line), and the job's kind and class exist.
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'job ' || j.number || ': ' || x.place || ' has kind ' || x.kind_id
	|| ', class ' || coalesce(x.class_id::text, '-') || ', place '
	|| coalesce(x.at::text, '-') || '; the job says ' || j.kind_id || ', '
	|| j.class_id || ', ' || ~j.priority
FROM (SELECT number, 'queue' AS place, kind_id, class_id, place AS at
	FROM sortie.queue
	UNION ALL
	SELECT number, 'waiting', kind_id, class_id, place FROM sortie.waiting
	UNION ALL
	SELECT number, 'live', kind_id, class_id, place FROM sortie.live
	UNION ALL
	SELECT number, 'ended', kind_id, NULL, NULL FROM sortie.ended) AS x
JOIN sortie.job j ON j.number = x.number
LEFT JOIN sortie.kind k ON k.kind_id = j.kind_id
LEFT JOIN sortie.class c ON c.class_id = j.class_id
WHERE x.kind_id <> j.kind_id OR x.class_id <> j.class_id
	OR x.at <> ~j.priority OR k.kind_id IS NULL OR c.class_id IS NULL
LIMIT 20
