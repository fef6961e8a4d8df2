-- What one session of stress.t does: a random call after the other.
--
-- Each session has buckets of its own, as each lane of a server has; the
-- changes by hand of all sessions share one, as a server's pool does.
CREATE FUNCTION t.pick(n int) RETURNS int LANGUAGE sql AS $$
	SELECT floor(random() * n)::int
$$;

CREATE FUNCTION t.random_req() RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object(
		'project', (ARRAY['default', 'p1', 'p2'])[1 + t.pick(3)],
		'jobtype', (ARRAY['a', 'b'])[1 + t.pick(2)],
		'site', CASE WHEN t.pick(8) = 0 THEN 's' || t.pick(2) END,
		'pools', CASE WHEN t.pick(10) = 0
			THEN jsonb_build_array('pool' || t.pick(2)) END,
		'cores', CASE WHEN t.pick(3) = 0 THEN 1 + t.pick(4) END,
		'memory', CASE WHEN t.pick(5) = 0 THEN 100 * t.pick(10) END,
		'limits', CASE t.pick(4) WHEN 0 THEN '{"m": 1}'::jsonb
			WHEN 1 THEN '{"k": 2, "m": 1}' END))
$$;

-- Some jobs, mostly ones that are not over.
CREATE FUNCTION t.some_jobs(n int) RETURNS bigint[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(x), '{}') FROM (
		(SELECT number AS x FROM sortie.queue ORDER BY random() LIMIT n)
		UNION ALL
		(SELECT number FROM sortie.live ORDER BY random() LIMIT n)
		UNION ALL
		(SELECT number FROM sortie.waiting ORDER BY random() LIMIT n)
		UNION ALL
		(SELECT number FROM sortie.ended ORDER BY random() LIMIT 2)
		ORDER BY 1 LIMIT 2 * n) AS u
$$;

CREATE FUNCTION t.some_pilots(n int) RETURNS bigint[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(x), '{}') FROM (
		(SELECT pilot AS x FROM sortie.pilot_room
		ORDER BY random() LIMIT n)
		UNION
		SELECT pilot FROM (SELECT pilot FROM sortie.pilot
			ORDER BY random() LIMIT 1) AS p WHERE t.pick(3) = 0)
		AS u
$$;

-- A report of several pilots: some of their live runs, and runs that are no
-- longer theirs.
CREATE FUNCTION t.random_report(p_bucket int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	b bigint[] := t.some_pilots(3);
	v_s record; v_e record; v_l record;
	zs int[]; ze int[];
BEGIN
	IF b = '{}' THEN
		RETURN;
	END IF;
	CREATE TEMP TABLE IF NOT EXISTS seen (rep int, number bigint,
		run bigint, what int);
	TRUNCATE seen;
	INSERT INTO seen
	SELECT u.rep, u.number, u.run, t.pick(5)
	FROM (SELECT p.rep, l.number, l.run
		FROM unnest(b) WITH ORDINALITY AS p(pilot, rep)
		JOIN sortie.live l ON l.pilot = p.pilot
		UNION ALL
		(SELECT p.rep, r.number, r.run
		FROM unnest(b) WITH ORDINALITY AS p(pilot, rep)
		JOIN sortie.run r ON r.pilot = p.pilot
		WHERE r.state = 'lost' OR t.pick(30) = 0 LIMIT 20)
		UNION ALL
		(SELECT 1 + t.pick(cardinality(b)), l.number, l.run
		FROM sortie.live l LIMIT 2)) AS u
	ORDER BY random();
	SELECT coalesce(array_agg(rep), '{}') AS rep, coalesce(array_agg(number), '{}')
		AS number, coalesce(array_agg(run), '{}') AS run
	INTO v_s FROM seen WHERE what IN (0, 1);
	SELECT coalesce(array_agg(rep), '{}') AS rep, coalesce(array_agg(number), '{}')
		AS number, coalesce(array_agg(run), '{}') AS run,
		coalesce(array_agg((ARRAY['finished', 'failed', 'failed',
		'returned', 'timelimit', 'cancelled'])[1 + t.pick(6)]), '{}')
		AS state
	INTO v_e FROM seen WHERE what IN (1, 2);
	SELECT coalesce(array_agg(rep), '{}') AS rep, coalesce(array_agg(number), '{}')
		AS number, coalesce(array_agg(run), '{}') AS run
	INTO v_l FROM seen WHERE what IN (0, 3);
	zs := ARRAY[cardinality(v_s.rep)];
	ze := ARRAY[cardinality(v_e.rep)];
	PERFORM sortie.report_1(p_bucket, 1, 3, b, array_fill(
		(1000 + t.pick(1000))::bigint, ARRAY[cardinality(b)]),
		array_fill(t.pick(2) = 0, ARRAY[cardinality(b)]),
		array_fill(false, ARRAY[cardinality(b)]),
		v_s.rep, v_s.number, v_s.run, array_fill(5::bigint, zs),
		v_e.rep, v_e.number, v_e.run, v_e.state::sortie.run_state[],
		array_fill(''::text, ze), array_fill(1, ze),
		array_fill(NULL::int, ze), array_fill(3::bigint, ze),
		array_fill(10::bigint, ze), array_fill(t.pick(2) = 0, ze),
		array_fill(1::bigint, ze), array_fill(1::bigint, ze),
		array_fill(1::bigint, ze), array_fill(3::bigint, ze),
		array_fill(0::bigint, ze), array_fill('abc'::bytea, ze),
		array_fill(NULL::bytea, ze), array_fill(0::smallint, ze),
		array_fill('["a=1"]'::text, ze), v_l.rep, v_l.number, v_l.run);
END $$;

CREATE FUNCTION t.random_output() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	u record;
BEGIN
	SELECT array_agg(l.pilot) AS pilot, array_agg(l.number) AS number,
		array_agg(l.run) AS run, array_agg(0::smallint) AS stream,
		array_agg((100 * t.pick(20))::bigint) AS at,
		array_agg(100) AS len, array_agg(NULL::bytea) AS data,
		array_agg(sha256(t.pick(5)::text::bytea)) AS blob
	INTO u FROM (SELECT * FROM sortie.live ORDER BY random() LIMIT 10) AS l;
	IF u.pilot IS NOT NULL THEN
		PERFORM sortie.output_put_1(500, 500, u.pilot, u.number, u.run,
			u.stream, u.at, u.len, u.data, u.blob);
	END IF;
END $$;

-- A transaction makes classes or uses them, as a server's do.
CREATE FUNCTION t.random_submit(p_bucket int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM t.submit_to(p_bucket, 1 + t.pick(8), c.class_id,
		(ARRAY[0, 0, 5, -2147483648, 2147483647])[1 + t.pick(5)],
		'{"retries": 1, "retry_delay": 0}', t.pick(8) = 0, CASE
		WHEN t.pick(8) = 0 THEN now() + interval '20 ms' END)
	FROM (SELECT class_id FROM sortie.class ORDER BY random() LIMIT 1) AS c;
END $$;

CREATE FUNCTION t.random_keyed(p_bucket int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	u record;
BEGIN
	SELECT array_agg(c.project_id ORDER BY c.ord) AS project,
		array_agg(c.ord ORDER BY c.ord) AS ord,
		array_agg(c.class_id ORDER BY c.ord) AS class_id,
		array_agg(k.kind_id ORDER BY c.ord) AS kind_id,
		array_agg('k' || (t.pick(100) * 3 + c.ord) ORDER BY c.ord) AS key,
		array_fill(1, ARRAY[count(*)::int]) AS n,
		array_fill(false, ARRAY[count(*)::int]) AS held,
		array_fill(NULL::timestamptz, ARRAY[count(*)::int]) AS due,
		array_fill('{}'::text, ARRAY[count(*)::int]) AS definition,
		array_fill(NULL::text, ARRAY[count(*)::int]) AS none
	INTO u
	FROM (SELECT d.*, (row_number() OVER ())::int AS ord
		FROM (SELECT project_id, min(class_id) AS class_id
			FROM sortie.class GROUP BY project_id
			ORDER BY random()) AS d) AS c
	JOIN sortie.class y ON y.class_id = c.class_id
	JOIN sortie.kind k ON (k.owner_id, k.project_id, k.jobtype)
		= (y.owner_id, y.project_id, y.jobtype);
	PERFORM sortie.submit_keyed_1('i' || t.pick(1000), '\x00', p_bucket,
		7274496, -5, 1, u.project, u.ord, u.n, u.class_id, u.kind_id,
		u.n, u.held, u.due, u.definition, u.definition, u.none,
		u.none, u.key);
END $$;

CREATE FUNCTION t.random_call(p_session int, p_i bigint) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	b int := 16 * p_session;
	v_what int := t.pick(100);
	v_pilots bigint[];
BEGIN
	IF t.pick(4) = 0 THEN
		RETURN t.random_flow(b);
	END IF;
	CASE
	WHEN v_what < 3 THEN
		PERFORM sortie.class_ensure_1(1, t.random_req(), 0);
		RETURN 'class';
	WHEN v_what < 18 THEN
		PERFORM t.random_submit(b + 1);
		RETURN 'submit';
	WHEN v_what < 22 THEN
		PERFORM t.random_keyed(b + 1);
		RETURN 'keyed';
	WHEN v_what < 45 THEN
		v_pilots := t.some_pilots(3);
		IF v_pilots <> '{}' THEN
			PERFORM t.claims(b + 3, v_pilots, array_fill(p_i,
				ARRAY[cardinality(v_pilots)]), 1 + t.pick(5),
				t.pick(2));
		END IF;
		RETURN 'claim';
	WHEN v_what < 68 THEN
		PERFORM t.random_report(b + 4);
		RETURN 'report';
	WHEN v_what < 72 THEN
		PERFORM t.random_output();
		RETURN 'output';
	WHEN v_what < 74 THEN
		PERFORM sortie.expire_1(b + 5, 3, 1, 1100, 2);
		UPDATE sortie.pilot_room SET lease_tick = 0
		WHERE pilot IN (SELECT pilot FROM sortie.pilot_room
			ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED);
		RETURN 'expire';
	WHEN v_what < 77 THEN
		PERFORM t.pilot(1 + t.pick(5), 4 + t.pick(8), 2000,
			's' || t.pick(3), ARRAY['pool' || t.pick(3)],
			CASE t.pick(3) WHEN 0 THEN
			(SELECT pilot FROM sortie.pilot ORDER BY random()
			LIMIT 1) END);
		RETURN 'register';
	WHEN v_what < 78 THEN
		PERFORM sortie.pilot_leave_1(0, 3, x)
		FROM unnest((t.some_pilots(1))[1 : 1]) AS x;
		RETURN 'leave';
	WHEN v_what < 79 THEN
		PERFORM sortie.pilot_order_1(0, 3, NULL, t.some_pilots(2),
			t.pick(2) = 0);
		RETURN 'order';
	WHEN v_what < 82 THEN
		PERFORM sortie.job_cancel_1(0, NULL, '{}', t.some_jobs(4),
			t.pick(2) = 0);
		RETURN 'cancel';
	WHEN v_what < 85 THEN
		PERFORM sortie.job_hold_1(0, NULL, '{}', t.some_jobs(4));
		RETURN 'hold';
	WHEN v_what < 88 THEN
		PERFORM sortie.job_release_1(0, NULL, '{}', t.some_jobs(6));
		RETURN 'release';
	WHEN v_what < 90 THEN
		PERFORM sortie.job_retry_1(0, NULL, '{}', t.some_jobs(3),
			t.pick(2) = 0);
		RETURN 'retry';
	WHEN v_what < 92 THEN
		PERFORM sortie.job_adjust_1(0, NULL, '{}', t.some_jobs(4),
			jsonb_build_object('priority', t.pick(10) - 5));
		RETURN 'adjust';
	WHEN v_what < 93 THEN
		PERFORM sortie.job_delete_1(0, NULL, '{}', t.some_jobs(2));
		RETURN 'delete';
	WHEN v_what < 94 THEN
		PERFORM sortie.project_set_1(0, 'p' || t.pick(3), CASE t.pick(4)
			WHEN 0 THEN NULL ELSE t.pick(20) END, true, 50, true);
		RETURN 'project';
	WHEN v_what < 95 THEN
		PERFORM sortie.limit_set_1((ARRAY['m', 'k', 'jobtype:a',
			'jobtype:b'])[1 + t.pick(4)], CASE t.pick(4)
			WHEN 0 THEN NULL ELSE t.pick(15) END);
		RETURN 'limit';
	WHEN v_what < 96 THEN
		PERFORM sortie.limit_delete_1((ARRAY['k', 'jobtype:a',
			'jobtype:b'])[1 + t.pick(3)]);
		RETURN 'unlimit';
	WHEN v_what < 98 THEN
		PERFORM sortie.due_1(b + 6, 10);
		RETURN 'due';
	WHEN v_what < 99 THEN
		PERFORM sortie.reserve_1(0);
		UPDATE sortie.class SET used_at = used_at - interval '2 hours'
		WHERE class_id IN (SELECT class_id FROM sortie.class
			ORDER BY random() LIMIT 3 FOR UPDATE SKIP LOCKED);
		RETURN 'reserve';
	WHEN v_what < 100 AND t.pick(2) = 0 THEN
		PERFORM sortie.class_sleep_1(5);
		RETURN 'sleep';
	WHEN t.pick(2) = 0 THEN
		PERFORM sortie.retention_step_1(b + 6, 0, 0, 10);
		RETURN 'retention';
	ELSE
		PERFORM sortie.purge_1(0, NULL, '{}', 0, 'failed', NULL, 5);
		RETURN 'purge';
	END CASE;
END $$;

CREATE TABLE t.did (session int, what text, outcome text, n int);

CREATE PROCEDURE t.stress(p_session int, p_seed double precision,
	p_seconds double precision)
LANGUAGE plpgsql AS $$
DECLARE
	v_end timestamptz := clock_timestamp()
		+ make_interval(secs => p_seconds);
	v_what text;
	v_code text;
	v_said text;
	v_detail text;
	i bigint := 0;
BEGIN
	PERFORM setseed(p_seed), set_config('f.bucket',
		(16 * p_session + 14)::text, false);
	COMMIT;
	WHILE clock_timestamp() < v_end LOOP
		i := i + 1;
		v_what := '?';
		v_code := '';
		BEGIN
			v_what := t.random_call(p_session, i);
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS v_code = RETURNED_SQLSTATE,
				v_what = MESSAGE_TEXT, v_said = PG_EXCEPTION_CONTEXT,
				v_detail = PG_EXCEPTION_DETAIL;
			-- What a server repeats, refusals, and a class that
			-- fell asleep or was taken from its limit on the way.
			IF v_code NOT IN ('40001', '55P03', 'SO002', 'SO009',
				'SO006', 'SO005', 'SO012') THEN
				RAISE WARNING '%: % (% %)', v_code, v_what,
					v_detail, v_said;
			END IF;
			v_what := '?';
		END;
		COMMIT;
		INSERT INTO t.did VALUES (p_session, v_what, v_code, 1);
	END LOOP;
END $$;
