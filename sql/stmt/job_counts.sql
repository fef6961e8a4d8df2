-- How many jobs of some ranges are in which state, and the first that ended
-- badly.
-- $1 and $2 ranges of numbers (they must not overlap), $3 owner id (NULL:
-- administrators), $4 project ids of the token.
-- Result: one row: counts (JSON), total, ended. Locks: none.
WITH r AS MATERIALIZED (
	SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS r(lo, hi)),
k AS MATERIALIZED (SELECT sortie.kinds_1($3::int, $4::int[], NULL, NULL,
	NULL) AS kinds),
s AS MATERIALIZED (
	SELECT x.state, sum(x.n)::bigint AS n FROM r, k,
	LATERAL (
		SELECT 'defined'::sortie.job_state AS state, count(*) AS n
		FROM sortie.queue q
		WHERE q.number BETWEEN r.lo AND r.hi
		AND (k.kinds IS NULL OR q.kind_id = ANY (k.kinds))
		UNION ALL
		SELECT CASE w.why WHEN 'held' THEN 'held' ELSE 'waiting' END
			::sortie.job_state, count(*)
		FROM sortie.waiting w
		WHERE w.number BETWEEN r.lo AND r.hi
		AND (k.kinds IS NULL OR w.kind_id = ANY (k.kinds))
		GROUP BY 1
		UNION ALL
		SELECT CASE WHEN l.running THEN 'running' ELSE 'dispatched' END
			::sortie.job_state, count(*)
		FROM sortie.live l
		WHERE l.number BETWEEN r.lo AND r.hi
		AND (k.kinds IS NULL OR l.kind_id = ANY (k.kinds))
		GROUP BY 1
		UNION ALL
		SELECT e.state, count(*)
		FROM sortie.ended e
		WHERE e.number BETWEEN r.lo AND r.hi
		AND (k.kinds IS NULL OR e.kind_id = ANY (k.kinds))
		GROUP BY 1) AS x
	WHERE x.n > 0
	GROUP BY x.state),
t AS (SELECT coalesce(sum(s.n), 0)::bigint AS total,
		coalesce(sum(s.n) FILTER (WHERE s.state >= 'finished'), 0)
			::bigint AS ended,
		coalesce(sum(s.n) FILTER (WHERE s.state > 'finished'), 0)
			::bigint AS bad,
		coalesce(json_object_agg(s.state, s.n ORDER BY s.state), '{}')
			AS states
	FROM s)
SELECT json_strip_nulls(json_build_object('total', t.total, 'ended', t.ended,
	'states', t.states, 'worst', CASE WHEN t.bad > 0 THEN (
		SELECT json_strip_nulls(json_build_object(
			'number', e.number, 'state', e.state,
			'exit_code', e.exit_code, 'signal', e.signal,
			'reason', nullif(e.reason, '')))
		FROM s AS of_state, r, LATERAL (
			SELECT e.* FROM sortie.ended e, k
			WHERE e.state = of_state.state
			AND e.state <> 'finished'
			AND e.number BETWEEN r.lo AND r.hi
			AND (k.kinds IS NULL OR e.kind_id = ANY (k.kinds))
			ORDER BY e.number LIMIT 1) AS e
		WHERE of_state.state > 'finished'
		ORDER BY e.number LIMIT 1) END))::text AS counts,
	t.total, t.ended
FROM t
