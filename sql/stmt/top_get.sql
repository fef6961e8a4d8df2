-- What `sortie top` shows, in a time that does not grow with the queue or the
-- history: counts come from the counters; failures are looked for among the
-- last 2,000 runs and the 200 highest jobs of each bad state; the queue by
-- priority is counted while it has at most 200 pages. Of a longer one 200
-- pages are a sample ("about" is then true), beside which up to 1,000 places
-- are found by skipping through its index, so that a few urgent jobs among
-- millions are seen; where there are few they are counted.
-- $1 owner id (NULL: administrators), $2 project ids of the token.
-- Result: one row: the screen's content (JSON). Locks: none.
WITH RECURSIVE k AS MATERIALIZED (
	SELECT k.kind_id, k.jobtype FROM sortie.kind k
	WHERE sortie.may_see_1($1::int, $2::int[], k.owner_id, k.project_id)),
t AS MATERIALIZED (
	SELECT k.jobtype, n.state, sum(n.n)::bigint AS n
	FROM k JOIN sortie.tally n ON n.kind_id = k.kind_id
	GROUP BY k.jobtype, n.state HAVING sum(n.n) <> 0),
m AS MATERIALIZED (
	SELECT k.jobtype, n.what, coalesce(sum(n.n) FILTER (WHERE n.minute >=
			extract(epoch FROM now())::bigint / 60 - 1), 0)::bigint
			AS n,
		sum(n.n)::bigint AS n10
	FROM sortie.tally_minute n JOIN k ON k.kind_id = n.kind_id
	WHERE n.minute >= extract(epoch FROM now())::bigint / 60 - 10
	GROUP BY k.jobtype, n.what),
types AS MATERIALIZED (
	SELECT x.jobtype, coalesce(q.waiting, 0) AS waiting,
		coalesce(q.queued, 0) AS queued,
		coalesce(q.running, 0) AS running,
		coalesce(e.submitted, 0) AS submitted,
		coalesce(e.started, 0) AS started,
		coalesce(e.finished, 0) AS finished, coalesce(e.bad, 0) AS bad
	FROM (SELECT t.jobtype FROM t WHERE t.state < 'finished'
		UNION SELECT m.jobtype FROM m) AS x
	LEFT JOIN (SELECT t.jobtype,
			sum(t.n) FILTER (WHERE t.state IN ('held', 'waiting'))
				AS waiting,
			sum(t.n) FILTER (WHERE t.state = 'defined') AS queued,
			sum(t.n) FILTER (WHERE t.state IN ('dispatched',
				'running')) AS running
		FROM t GROUP BY t.jobtype) AS q ON q.jobtype = x.jobtype
	LEFT JOIN (SELECT m.jobtype,
			sum(m.n10) FILTER (WHERE m.what = 'submitted')
				AS submitted,
			sum(m.n10) FILTER (WHERE m.what = 'started') AS started,
			sum(m.n10) FILTER (WHERE m.what = 'finished')
				AS finished,
			sum(m.n10) FILTER (WHERE m.what NOT IN ('submitted',
				'started', 'finished')) AS bad
		FROM m GROUP BY m.jobtype) AS e ON e.jobtype = x.jobtype
	ORDER BY coalesce(q.queued, 0) + coalesce(q.running, 0) DESC,
		coalesce(e.finished, 0) + coalesce(e.bad, 0) DESC, x.jobtype
	LIMIT 50),
size AS MATERIALIZED (
	SELECT coalesce((SELECT sum(t.n) FROM t WHERE t.state = 'defined'), 0)
			::bigint AS n,
		x.pages, x.pages > 200 AS large
	FROM (SELECT greatest(pg_relation_size('sortie.queue')
		/ current_setting('block_size')::int, 1) AS pages) AS x),
c AS MATERIALIZED (
	SELECT DISTINCT r.class_id FROM sortie.class_ready r
	JOIN sortie.class c ON c.class_id = r.class_id
	WHERE (SELECT s.large FROM size s)
	AND sortie.may_see_1($1::int, $2::int[], c.owner_id, c.project_id)),
cells AS (
	SELECT c.class_id, h.place
	FROM c, LATERAL sortie.queue_head_1(c.class_id) AS h
	UNION ALL
	SELECT x.class_id, h.place FROM cells x, LATERAL (
		SELECT q.place FROM sortie.queue q
		WHERE q.class_id = x.class_id AND q.place > x.place
		ORDER BY q.class_id, q.place LIMIT 1) AS h),
few AS MATERIALIZED (SELECT cells.* FROM cells LIMIT 1000),
most AS MATERIALIZED (
	SELECT 1 + 4000 / greatest(count(*), 1) AS n FROM few),
counted AS MATERIALIZED (
	SELECT f.place, sum(x.n)::bigint AS n, bool_or(x.n = most.n) AS more
	FROM few f, most, LATERAL (
		SELECT count(*) AS n FROM (
			SELECT 1 FROM sortie.queue q
			WHERE q.class_id = f.class_id AND q.place = f.place
			LIMIT most.n) AS q) AS x
	WHERE x.n > 0
	GROUP BY f.place),
seen AS MATERIALIZED (
	SELECT q.place, count(*) AS n
	FROM sortie.queue q TABLESAMPLE SYSTEM (
		(SELECT least(100, 20000.0 / s.pages) FROM size s)::real)
	WHERE $1::int IS NULL AND coalesce($2::int[], '{}') = '{}'
		OR q.kind_id = ANY (ARRAY(SELECT k.kind_id FROM k))
	GROUP BY q.place),
places AS MATERIALIZED (
	SELECT ~coalesce(u.place, x.place) AS priority,
		CASE WHEN NOT size.large THEN x.n
		WHEN u.more IS FALSE THEN u.n
		ELSE greatest(coalesce(u.n, 0), round(x.n * size.n
			/ (SELECT sum(x.n) FROM seen x))::bigint) END AS n,
		size.large AND u.more IS NOT FALSE AS about
	FROM counted u FULL JOIN seen x ON x.place = u.place, size),
p AS MATERIALIZED (
	SELECT CASE WHEN r.pilot_order IS NOT NULL THEN 'draining'
			WHEN r.used_slots > 0 THEN 'busy'
			WHEN r.request = 0 THEN 'active' ELSE 'idle' END
			AS state, p.site, count(*) AS pilots,
		sum(r.slots) AS slots, sum(r.used_slots) AS used
	FROM sortie.pilot_room r
	JOIN sortie.pilot p ON p.pilot = r.pilot AND p.end_state IS NULL
	WHERE $1::int IS NULL AND coalesce($2::int[], '{}') = '{}'
		OR sortie.may_see_pilot_1($1::int, $2::int[], p)
	GROUP BY 1, 2),
sites AS MATERIALIZED (
	SELECT p.site, sum(p.pilots) AS pilots, sum(p.slots) AS slots,
		sum(p.used) AS used
	FROM p GROUP BY p.site
	ORDER BY sum(p.slots) DESC, p.site LIMIT 20),
late AS (
	SELECT r.number FROM (
		SELECT r.number, r.state FROM sortie.run r
		ORDER BY r.xid DESC, r.number DESC LIMIT 2000) AS r
	WHERE r.state IN ('failed', 'timelimit', 'lost')
	UNION
	SELECT b.number FROM (VALUES ('failed'::sortie.job_state),
		('timelimit'), ('lost')) AS s(state), LATERAL (
		SELECT e.number FROM sortie.ended e
		WHERE e.state = s.state AND e.state <> 'finished'
		ORDER BY e.number DESC LIMIT 200) AS b),
bad AS MATERIALIZED (
	SELECT e.number, e.state, e.exit_code, e.signal, e.ended_at, e.reason,
		k.jobtype
	FROM late l, LATERAL (
		-- By its key, whatever the planner thinks of the table.
		SELECT e.* FROM sortie.ended e
		WHERE e.number = l.number OFFSET 0) AS e
	JOIN k ON k.kind_id = e.kind_id
	WHERE e.state IN ('failed', 'timelimit', 'lost')
	ORDER BY e.ended_at DESC, e.number DESC LIMIT 20)
SELECT json_strip_nulls(json_build_object(
	'at', to_char(now() AT TIME ZONE 'UTC',
		'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
	'jobs', (SELECT coalesce(json_object_agg(s.state, s.n
			ORDER BY s.state), '{}')
		FROM (SELECT t.state, sum(t.n) AS n FROM t GROUP BY t.state)
			AS s),
	'jobtypes', (SELECT coalesce(json_agg(json_build_object(
			'name', y.jobtype, 'waiting', y.waiting,
			'queued', y.queued, 'running', y.running,
			'submitted', y.submitted, 'started', y.started,
			'finished', y.finished, 'bad', y.bad)
			ORDER BY y.queued + y.running DESC,
				y.finished + y.bad DESC, y.jobtype), '[]')
		FROM types y),
	'priorities', (SELECT coalesce(json_agg(json_build_object(
			'priority', x.priority, 'queued', x.n,
			'about', x.about) ORDER BY x.priority DESC), '[]')
		FROM (SELECT * FROM places x WHERE x.n > 0
			ORDER BY x.priority DESC LIMIT 50) AS x),
	'pilots', (SELECT coalesce(json_object_agg(s.state, s.n), '{}')
		FROM (SELECT p.state, sum(p.pilots) AS n FROM p
			GROUP BY p.state) AS s),
	'slots', (SELECT json_build_object('total', coalesce(sum(p.slots), 0),
			'used', coalesce(sum(p.used), 0)) FROM p),
	'sites', (SELECT coalesce(json_agg(json_build_object('name', x.site,
			'pilots', x.pilots, 'slots', x.slots, 'used', x.used)
			ORDER BY x.slots DESC, x.site), '[]') FROM sites x),
	'rates', (SELECT json_build_object(
			'seconds', 60 + extract(epoch FROM now())::bigint % 60,
			'submitted', coalesce(sum(m.n) FILTER (
				WHERE m.what = 'submitted'), 0),
			'started', coalesce(sum(m.n) FILTER (
				WHERE m.what = 'started'), 0),
			'finished', coalesce(sum(m.n) FILTER (
				WHERE m.what = 'finished'), 0),
			'bad', coalesce(sum(m.n) FILTER (WHERE m.what NOT IN
				('submitted', 'started', 'finished')), 0))
		FROM m),
	'failures', (SELECT coalesce(json_agg(json_build_object(
			'number', b.number, 'jobtype', b.jobtype,
			'state', b.state, 'exit_code', b.exit_code,
			'signal', b.signal, 'reason', nullif(b.reason, ''),
			'ended_at', to_char(b.ended_at AT TIME ZONE 'UTC',
				'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
			ORDER BY b.ended_at DESC, b.number DESC), '[]')
		FROM bad b)))::text
