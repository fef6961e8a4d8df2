-- Breaches of: classes name limits that exist, and each jobtype's maximum is in
-- all classes of that type.
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'class ' || c.class_id || ' names limit ' || u.limit_id
	|| ', which does not exist'
FROM sortie.class c
CROSS JOIN LATERAL unnest(c.limit_ids) AS u(limit_id)
WHERE NOT EXISTS (SELECT 1 FROM sortie.lim l WHERE l.limit_id = u.limit_id)
UNION ALL
SELECT 'class ' || c.class_id || ' of the jobtype "' || c.jobtype
	|| '" lacks that type''s limit'
FROM sortie.class c
JOIN sortie.lim l ON l.name = 'jobtype:' || c.jobtype
WHERE c.jobtype <> '' AND NOT l.limit_id = ANY (c.limit_ids)
LIMIT 20
