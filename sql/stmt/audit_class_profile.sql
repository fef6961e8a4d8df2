-- Breaches of: each class that is awake names exactly the profiles that fit it.
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'class ' || c.class_id || ' names the profiles '
	|| c.profiles::text || ', ' || x.fitting::text || ' fit'
FROM sortie.class c
CROSS JOIN LATERAL (
	SELECT coalesce(array_agg(p.profile_id ORDER BY p.profile_id), '{}')
		AS fitting
	FROM sortie.profile p WHERE sortie.fits_1(p, c)) AS x
WHERE c.active AND NOT (c.profiles @> x.fitting AND x.fitting @> c.profiles)
UNION ALL
SELECT 'pilot ' || r.pilot || ' has the profile ' || r.profile_id
	|| ', which does not exist'
FROM sortie.pilot_room r
WHERE NOT EXISTS (SELECT 1 FROM sortie.profile p
	WHERE p.profile_id = r.profile_id)
LIMIT 20
