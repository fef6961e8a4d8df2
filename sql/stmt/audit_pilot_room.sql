-- Breaches of: what pilots count as used is what their live runs hold (I6).
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'pilot ' || p.pilot || ' counts ' || p.used_slots || ' slots, '
	|| p.used_cores || ' cores, ' || p.used_memory
	|| ' bytes as used; its live runs hold ' || coalesce(x.slots, 0) || ', '
	|| coalesce(x.cores, 0) || ', ' || coalesce(x.memory, 0)
FROM sortie.pilot_room p
LEFT JOIN (SELECT l.pilot, count(*) AS slots, sum(c.cores) AS cores,
		sum(c.memory) AS memory
	FROM sortie.live l
	JOIN sortie.class c ON c.class_id = l.class_id
	GROUP BY l.pilot) AS x ON x.pilot = p.pilot
WHERE p.used_slots <> coalesce(x.slots, 0)
	OR p.used_cores <> coalesce(x.cores, 0)
	OR p.used_memory <> coalesce(x.memory, 0)
ORDER BY p.pilot LIMIT 20
