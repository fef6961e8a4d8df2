-- What is stored of a stream of output. $1 job, $2 its UUID (NULL: not asked
-- by it), $3 owner (NULL: everybody's), $4 projects (empty: all), $5 attempt
-- (0: the last), $6 stream, $7 offset, $8 at most so many bytes. A row for
-- each piece that ends behind the offset, the first ones, each with: whether
-- the stream is complete, whether output was lost, its size, then offset,
-- length and bytes (or blob) of the piece; one row with NULLs when there is
-- none; no row when there is no such run. No locks.
WITH j AS (
	SELECT j.number FROM sortie.job AS j
	JOIN sortie.kind AS k ON k.kind_id = j.kind_id
	WHERE j.number = $1::bigint AND ($2::uuid IS NULL OR j.id = $2::uuid)
		AND ($3::int IS NULL OR k.owner_id = $3::int)
		AND ($4::int[] = '{}' OR k.project_id = ANY ($4::int[]))),
r AS (
	SELECT l.number, l.attempt, false AS complete, false AS incomplete,
		NULL::bigint AS size
	FROM j JOIN sortie.live AS l ON l.number = j.number
	WHERE $5::int IN (0, l.attempt)
	UNION ALL
	SELECT r.number, r.attempt, true,
		r.incomplete & (1 << $6::int) <> 0,
		CASE WHEN $6::int = 0 THEN r.stdout_size
			ELSE r.stderr_size END
	FROM j JOIN sortie.run AS r ON r.number = j.number
	WHERE $5::int IN (0, r.attempt)
	ORDER BY 2 DESC
	LIMIT 1)
SELECT r.complete, r.incomplete,
	greatest(r.size, (SELECT o.at + o.len FROM sortie.output AS o
		WHERE o.number = r.number AND o.attempt = r.attempt
			AND o.stream = $6::int
		ORDER BY o.at DESC LIMIT 1), 0),
	p.at, p.len, p.data, p.blob
FROM r
LEFT JOIN LATERAL (
	SELECT s.at, s.len, s.data, s.blob
	FROM (SELECT o.at, o.len, o.data, o.blob,
			sum(o.len) OVER (ORDER BY o.at) - o.len AS before
		FROM sortie.output AS o
		WHERE o.number = r.number AND o.attempt = r.attempt
			AND o.stream = $6::int AND o.at + o.len > $7::bigint
		ORDER BY o.at) AS s
	WHERE s.before <= $8::bigint
	ORDER BY s.at) AS p ON true
