-- Which of the profiles $1 fit some class that may have queued jobs, and the
-- version of what fits. No locks.
SELECT u.profile_id, (SELECT f.last_value FROM sortie.fit_version AS f)
FROM unnest($1::int[]) AS u(profile_id)
WHERE EXISTS (
	SELECT 1 FROM sortie.class_ready AS r
	JOIN sortie.class AS c ON c.class_id = r.class_id
	WHERE c.profiles @> ARRAY[u.profile_id])
