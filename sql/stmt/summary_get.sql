-- What there is now, and what happened in the last minute, 10 minutes, hour
-- and day, from the counters. A window has the running minute and the whole
-- minutes before it.
-- $1 owner id (NULL: administrators), $2 project ids of the token.
-- Result: one row: the summary (JSON). Locks: none.
WITH k AS MATERIALIZED (
	SELECT k.kind_id, k.jobtype FROM sortie.kind k
	WHERE sortie.may_see_1($1::int, $2::int[], k.owner_id, k.project_id)),
t AS MATERIALIZED (
	SELECT k.jobtype, n.state, sum(n.n)::bigint AS n
	FROM k JOIN sortie.tally n ON n.kind_id = k.kind_id
	GROUP BY k.jobtype, n.state HAVING sum(n.n) <> 0),
p AS MATERIALIZED (
	SELECT sortie.pilot_state_1(p, r) AS state, r.slots, r.used_slots
	FROM sortie.pilot_room r JOIN sortie.pilot p ON p.pilot = r.pilot
	WHERE sortie.may_see_pilot_1($1::int, $2::int[], p)),
m AS MATERIALIZED (
	SELECT extract(epoch FROM now())::bigint / 60 - n.minute AS age,
		k.jobtype, n.what, sum(n.n)::bigint AS n
	FROM sortie.tally_minute n JOIN k ON k.kind_id = n.kind_id
	WHERE n.minute >= extract(epoch FROM now())::bigint / 60 - 1440
	GROUP BY n.minute, k.jobtype, n.what),
w AS MATERIALIZED (
	SELECT s.seconds, m.jobtype, m.what, sum(m.n)::bigint AS n
	FROM (VALUES (60), (600), (3600), (86400)) AS s(seconds)
	JOIN m ON m.age <= s.seconds / 60
	GROUP BY s.seconds, m.jobtype, m.what)
SELECT json_strip_nulls(json_build_object(
	'now', json_build_object(
		'jobs', (SELECT coalesce(json_object_agg(s.state, s.n
				ORDER BY s.state), '{}')
			FROM (SELECT t.state, sum(t.n) AS n FROM t
				GROUP BY t.state) AS s),
		'jobtypes', (SELECT coalesce(json_object_agg(j.jobtype,
				j.states ORDER BY j.jobtype), '{}')
			FROM (SELECT t.jobtype, json_object_agg(t.state, t.n
					ORDER BY t.state) AS states
				FROM t GROUP BY t.jobtype) AS j),
		'pilots', (SELECT coalesce(json_object_agg(s.state, s.n), '{}')
			FROM (SELECT p.state, count(*) AS n FROM p
				GROUP BY p.state) AS s),
		'slots', (SELECT json_build_object('total',
				coalesce(sum(p.slots), 0), 'used',
				coalesce(sum(p.used_slots), 0)) FROM p)),
	'windows', (SELECT json_object_agg(s.seconds, json_build_object(
			'submitted', (SELECT coalesce(sum(w.n), 0) FROM w
				WHERE w.seconds = s.seconds
				AND w.what = 'submitted'),
			'started', (SELECT coalesce(sum(w.n), 0) FROM w
				WHERE w.seconds = s.seconds
				AND w.what = 'started'),
			'ended', (SELECT coalesce(json_object_agg(e.what, e.n),
					'{}')
				FROM (SELECT w.what, sum(w.n) AS n FROM w
					WHERE w.seconds = s.seconds AND w.what
						NOT IN ('submitted', 'started')
					GROUP BY w.what) AS e),
			'jobtypes', (SELECT coalesce(json_object_agg(j.jobtype,
					j.whats ORDER BY j.jobtype), '{}')
				FROM (SELECT w.jobtype, json_object_agg(w.what,
						w.n) AS whats
					FROM w WHERE w.seconds = s.seconds
					GROUP BY w.jobtype) AS j))
			ORDER BY s.seconds)
		FROM (VALUES (60), (600), (3600), (86400)) AS s(seconds))))::text
