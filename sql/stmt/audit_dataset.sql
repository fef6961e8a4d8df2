-- Breaches of: uses name datasets and jobs that exist, and what a job should
-- have made is not expected any more when it has ended.
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'job ' || u.number || ' uses dataset ' || u.dataset || ', and '
	|| CASE WHEN d.dataset IS NULL THEN 'that' ELSE 'it' END
	|| ' does not exist'
FROM sortie.dataset_use u
LEFT JOIN sortie.dataset d ON d.dataset = u.dataset
LEFT JOIN sortie.job j ON j.number = u.number
WHERE d.dataset IS NULL OR j.number IS NULL
UNION ALL
SELECT 'dataset ' || d.dataset || ' is expected of job ' || d.producer
	|| ', which has ended (' || e.state || ')'
FROM sortie.dataset d
JOIN sortie.dataset_use u ON u.dataset = d.dataset AND u.role = 'o'
	AND u.number = d.producer
JOIN sortie.node n ON n.number = d.producer AND NOT n.noop
JOIN sortie.ended e ON e.number = d.producer
WHERE d.state = 'declared'
LIMIT 20
