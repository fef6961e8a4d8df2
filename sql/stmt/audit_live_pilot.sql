-- Breaches of: the pilot of every live run lives, and every living pilot is known.
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'job ' || l.number || ' is live on pilot ' || l.pilot
	|| ', which does not live'
FROM sortie.live l
WHERE NOT EXISTS (SELECT 1 FROM sortie.pilot_room p WHERE p.pilot = l.pilot)
UNION ALL
SELECT 'pilot ' || r.pilot || ' lives and has ' || CASE
	WHEN p.pilot IS NULL THEN 'no row of its own'
	ELSE 'ended (' || p.end_state || ')' END
FROM sortie.pilot_room r
LEFT JOIN sortie.pilot p ON p.pilot = r.pilot
WHERE p.pilot IS NULL OR p.end_state IN ('stopped', 'lost')
LIMIT 20
