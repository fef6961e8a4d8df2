-- Breaches of: a job has ended as its last run says; without one it was cancelled
-- or skipped, or runs nothing.
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT 'job ' || e.number || ' has ended as ' || e.state || ', its last run '
	|| coalesce('as ' || r.state, 'does not exist')
FROM sortie.ended e
LEFT JOIN LATERAL (SELECT x.state, x.exit_code, x.signal FROM sortie.run x
	WHERE x.number = e.number ORDER BY x.attempt DESC LIMIT 1) AS r ON true
WHERE e.state NOT IN ('cancelled', 'skipped')
	AND NOT EXISTS (SELECT 1 FROM sortie.node n
		WHERE n.number = e.number AND n.noop)
	AND (r.state IS NULL
	OR e.state = 'lost' AND r.state NOT IN ('lost', 'returned')
	OR e.state <> 'lost' AND r.state::text <> e.state::text
	OR r.exit_code IS DISTINCT FROM e.exit_code
	OR r.signal IS DISTINCT FROM e.signal)
LIMIT 20
