-- Counters, classes, profiles and the queue; the locks of it all.
--
-- Advisory locks, all of them (key 1 = class of lock):
--     7000 the grant lane (claims, changes of limits)
--     7001 (7001, class): shared by whoever queues a job of the class, tried
--          exclusively by whoever finds it empty
--     7002 numbers of jobs, for an instant
--     7003 (7003, hash): one Idempotency-Key of what takes long (workflows,
--          commits of parts), so that its like waits for the answer
--     7004 the table of which profile fits which class; taken before any
--          lock of a pilot's row, never while one is held
--     7005 rows of servers; 7006 retention; 7007 folding of counters
--     7008 changes by hand (actions on jobs and pilots, purges): one at a
--          time, since they share a bucket of counters; taken before all others
--     7009 (7009, hash): one dag's versions
--     7010 adding up of stored bytes
-- Row locks are taken in one order: pilot, run (live), queue, workflow, waiting
-- and ended, project, limit.
--     Pilots are locked by id. Whoever changes a live row holds its pilot's
--     row, so live rows need no order; output only looks at them, NOWAIT.
--     Queued jobs are locked in grant order, as claims take them.
--     Workflows are locked by id; nodes, edges and firing belong to their
--     workflow's row (graph.sql). Datasets come before it, by site, path and
--     version, all at once; after it they are taken NOWAIT.
--     Projects, then limits, both by id, come last, once in a transaction
--     (settle_2): everything that moves runs says what is due and settles at
--     its end.
-- Nobody waits for a lock while holding (7001, class) exclusively. Where the
-- order cannot be kept, a lock is taken NOWAIT: the server repeats what fails
-- with 55P03 or 40001.
--
-- Functions carry the number of the contract in their name, so that servers of
-- two versions can share a database.

-- Where a statement goes through an array by x = ANY (ARRAY[y]) and not by x = y,
-- the table may have been empty when it was last looked at by ANALYZE, as the
-- queue and live runs are after a quiet hour. Then reading all of it, once, and
-- all of the array for each row, seems cheapest (for x = y it may, even without
-- sequential scans: an index gives the order of a merge), and is done with a
-- thousand rows and items until the next ANALYZE.

-- How a function's statements on arrays of n items are planned: few go by
-- indexes, with plans that are made once; many are worth plans of their own.
-- The caller has a SET of each of these, so that they end with it.
CREATE OR REPLACE FUNCTION sortie.plans_1(p_n int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF p_n > 200 THEN
		PERFORM set_config('plan_cache_mode', 'force_custom_plan',
			true), set_config('enable_seqscan', 'on', true),
			set_config('enable_hashjoin', 'on', true),
			set_config('enable_mergejoin', 'on', true);
	END IF;
END $$;

-- n numbers in a row; the sequence never goes back, so holes are harmless.
CREATE OR REPLACE FUNCTION sortie.job_numbers_1(p_n bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	v_first bigint;
BEGIN
	-- The lock is the session's, not the transaction's: others need not
	-- wait for the commit. It must not outlive a cancelled statement.
	PERFORM pg_advisory_lock(7002);
	BEGIN
		v_first := nextval('sortie.job_number');
		IF p_n > 1 THEN
			PERFORM setval('sortie.job_number', v_first + p_n - 1);
		END IF;
	EXCEPTION WHEN query_canceled OR OTHERS THEN
		PERFORM pg_advisory_unlock(7002);
		RAISE;
	END;
	PERFORM pg_advisory_unlock(7002);
	RETURN v_first;
END $$;

-- The UUID of an object with this number (lib/id.h); high and low come from
-- the server: time and salt.
CREATE OR REPLACE FUNCTION sortie.uuid_1(p_high bigint, p_low bigint, p_number bigint)
RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
	SELECT encode(int8send(p_high) || int8send(p_low | (p_number << 18)),
		'hex')::uuid
$$;

-- The eras of counters, 8 s each: a row counts for one writer and era and is
-- then folded into others (duty_tally). So it has few old versions, however
-- long a snapshot is open that keeps them all. Buckets of writers are less than
-- 200,000, eras less than 10,000.  VOLATILE, as the clock is: else it would not
-- become part of the expressions that call it.
CREATE OR REPLACE FUNCTION sortie.tally_era_1() RETURNS int LANGUAGE sql
AS $$
	SELECT (date_part('epoch', clock_timestamp())::bigint / 8 % 10000)::int
$$;

-- Adds to the counters. Arrays of equal length; sums to zero are left out.
CREATE OR REPLACE FUNCTION sortie.tally_add_1(p_bucket int, p_kind int[],
	p_state sortie.job_state[], p_n bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	v_bucket int := p_bucket + 200000 * sortie.tally_era_1();
BEGIN
	INSERT INTO sortie.tally AS t (bucket, kind_id, state, n)
	SELECT v_bucket, u.kind_id, u.state, sum(u.n)
	FROM unnest(p_kind, p_state, p_n) AS u(kind_id, state, n)
	GROUP BY u.kind_id, u.state
	HAVING sum(u.n) <> 0
	ORDER BY u.kind_id, u.state
	ON CONFLICT (bucket, kind_id, state) DO UPDATE SET n = t.n + excluded.n;
END $$;

-- Jobs of these kinds, an element each, went from one state to another.
CREATE OR REPLACE FUNCTION sortie.tally_move_1(p_bucket int, p_kind int[],
	p_from sortie.job_state, p_to sortie.job_state) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	n int[] := ARRAY[cardinality(p_kind)];
BEGIN
	PERFORM sortie.tally_add_1(p_bucket, p_kind || p_kind,
		array_fill(p_from, n) || array_fill(p_to, n),
		array_fill(-1::bigint, n) || array_fill(1::bigint, n));
END $$;

CREATE OR REPLACE FUNCTION sortie.tally_minute_add_1(p_bucket int, p_kind int[],
	p_what text[], p_n bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	v_minute int := date_part('epoch', clock_timestamp())::bigint / 60;
	v_bucket int := p_bucket + 200000 * sortie.tally_era_1();
BEGIN
	INSERT INTO sortie.tally_minute AS t (minute, bucket, kind_id, what, n)
	SELECT v_minute, v_bucket, u.kind_id, u.what, sum(u.n)
	FROM unnest(p_kind, p_what, p_n) AS u(kind_id, what, n)
	GROUP BY u.kind_id, u.what
	ORDER BY u.kind_id, u.what
	ON CONFLICT (minute, bucket, kind_id, what)
		DO UPDATE SET n = t.n + excluded.n;
END $$;

-- Where the row of a pilot is, looked for from the last of its versions on: they
-- have the same key and lie behind each other, so who asks by BETWEEN, which may
-- be read backwards, finds the one that is alive among the first, however many
-- dead ones a snapshot keeps: callers have enable_bitmapscan off. For rows that
-- the caller has locked, for others may move; part of the statements that call it.
CREATE OR REPLACE FUNCTION sortie.pilot_at_1(p_pilot bigint)
RETURNS TABLE (at tid) LANGUAGE sql STABLE ROWS 1 AS $$
	SELECT p.ctid FROM sortie.pilot_room p
	WHERE p.pilot BETWEEN p_pilot AND p_pilot
	ORDER BY p.pilot DESC LIMIT 1
$$;

-- True when profile p may be granted jobs of class c, numbers aside.
CREATE OR REPLACE FUNCTION sortie.fits_1(p sortie.profile, c sortie.class)
RETURNS bool LANGUAGE sql IMMUTABLE AS $$
	SELECT (p.everybody OR p.owner_id = c.owner_id)
		AND (p.project_ids = '{}' OR c.project_id = ANY (p.project_ids))
		AND (c.site = '' OR c.site = p.site)
		AND (c.pools = '{}' OR c.pools && p.pools)
		AND p.labels @> c.labels
		AND (p.accept = '{}' OR c.jobtype = ANY (p.accept))
		AND NOT c.jobtype = ANY (p.refuse)
$$;

-- The profile of a pilot's offer, made when it is new. The caller holds the
-- fit lock, so that no term appears between reading them and the pilot.
CREATE OR REPLACE FUNCTION sortie.profile_ensure_1(p_row sortie.pilot) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
	v_pools text[];
	v_labels jsonb;
	v_site text;
	v_key text;
	v_id int;
BEGIN
	SELECT coalesce(array_agg(x ORDER BY x), '{}') INTO v_pools
	FROM unnest(p_row.pools) AS x
	WHERE EXISTS (SELECT 1 FROM sortie.term WHERE term = 'pool:' || x);
	SELECT coalesce(jsonb_object_agg(k, v), '{}') INTO v_labels
	FROM jsonb_each_text(p_row.labels) AS l(k, v)
	WHERE EXISTS (SELECT 1 FROM sortie.term
		WHERE term = 'label:' || k || '=' || v);
	SELECT coalesce(max(p_row.site), '') INTO v_site FROM sortie.term
	WHERE term = 'site:' || p_row.site;
	v_key := jsonb_build_array(p_row.everybody, p_row.owner_id,
		p_row.project_ids, v_site, p_row.accept, p_row.refuse,
		v_pools, v_labels)::text;
	SELECT profile_id INTO v_id FROM sortie.profile WHERE key = v_key;
	IF FOUND THEN
		RETURN v_id;
	END IF;
	INSERT INTO sortie.profile (key, everybody, owner_id, project_ids,
		site, accept, refuse, pools, labels)
	VALUES (v_key, p_row.everybody, p_row.owner_id, p_row.project_ids,
		v_site, p_row.accept, p_row.refuse, v_pools, v_labels)
	RETURNING profile_id INTO v_id;
	UPDATE sortie.class c SET profiles = c.profiles || v_id
	FROM sortie.profile p
	WHERE p.profile_id = v_id AND c.active AND sortie.fits_1(p, c);
	PERFORM nextval('sortie.fit_version');
	RETURN v_id;
END $$;

-- Memory as classes count it: up to the next 1/64 of a power of two, as
-- round_memory in lib/jobspec.c does. Jobs bring it rounded; what pilots offer
-- is rounded where it comes in (pilot_room.memory, r_memory of claim_1).
CREATE OR REPLACE FUNCTION sortie.memory_1(p_bytes bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	v_bits int := length(ltrim(p_bytes::bit(64)::text, '0'));
	v_step bigint := 1::bigint << greatest(v_bits - 7, 0);
BEGIN
	RETURN (p_bytes + v_step - 1) / v_step * v_step;
END $$;

-- Works out anew which profiles fit these classes and marks them active; the
-- caller holds the fit lock.
CREATE OR REPLACE FUNCTION sortie.class_fit_1(p_class int[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	UPDATE sortie.class c SET active = true, used_at = now(),
		profiles = coalesce((SELECT array_agg(p.profile_id
			ORDER BY p.profile_id)
			FROM sortie.profile p WHERE sortie.fits_1(p, c)), '{}')
	WHERE c.class_id = ANY (p_class);
	PERFORM nextval('sortie.fit_version');
END $$;

-- The class, kind and project of jobs with these requirements, made when they
-- are new. p_req: the object of lib/jobspec.h `requirements`; life_s: seconds
-- that such a job may run, rounded up, 0 = not known.
-- moved: pilots ("3,4") that got another profile by it, or NULL: their parked
-- claims stand under the old one and must come again.
-- SO002: a limit that nobody has defined, or that is not for jobs to ask for
-- (detail: its name).
CREATE OR REPLACE FUNCTION sortie.class_ensure_1(p_owner int, p_req jsonb, p_life_s bigint,
	OUT class_id int, OUT kind_id int, OUT project_id int,
	OUT moved text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	v_project text := coalesce(p_req->>'project', 'default');
	v_jobtype text := coalesce(p_req->>'jobtype', '');
	v_pools text[];
	v_labels jsonb := coalesce(p_req->'labels', '{}');
	v_key text;
	v_ids int[];
	v_counts int[];
	v_unknown text;
	v_new_terms text[];
	v_class int;
	v_kind int;
	v_proj int;
	v_pilot sortie.pilot;
	v_profile int;
BEGIN
	SELECT p.project_id INTO v_proj FROM sortie.project p
	WHERE p.name = v_project;
	IF NOT FOUND THEN
		INSERT INTO sortie.project (name, turn)
		SELECT v_project, l.last_value FROM sortie.lane_turn l
		ON CONFLICT (name) DO NOTHING;
		SELECT p.project_id INTO v_proj FROM sortie.project p
		WHERE p.name = v_project;
	END IF;
	SELECT k.kind_id INTO v_kind FROM sortie.kind k
	WHERE k.owner_id = p_owner AND k.project_id = v_proj
		AND k.jobtype = v_jobtype;
	IF NOT FOUND THEN
		INSERT INTO sortie.kind (owner_id, project_id, jobtype)
		VALUES (p_owner, v_proj, v_jobtype)
		ON CONFLICT (owner_id, project_id, jobtype) DO NOTHING;
		SELECT k.kind_id INTO v_kind FROM sortie.kind k
		WHERE k.owner_id = p_owner AND k.project_id = v_proj
			AND k.jobtype = v_jobtype;
	END IF;
	v_key := p_owner || ' ' || p_life_s || ' ' || p_req::text;
	SELECT c.class_id INTO v_class FROM sortie.class c
	WHERE c.key = v_key AND c.active;
	IF FOUND THEN
		class_id := v_class;
		kind_id := v_kind;
		project_id := v_proj;
		RETURN;
	END IF;

	SELECT coalesce(array_agg(x ORDER BY x), '{}') INTO v_pools
	FROM jsonb_array_elements_text(coalesce(p_req->'pools', '[]')) AS x;
	SELECT w.name INTO v_unknown
	FROM jsonb_each_text(coalesce(p_req->'limits', '{}')) AS w(name, n)
	WHERE NOT EXISTS (SELECT 1 FROM sortie.lim l WHERE l.name = w.name)
		OR w.name LIKE 'jobtype:%'
	LIMIT 1;
	IF FOUND THEN
		IF v_unknown LIKE 'jobtype:%' THEN
			RAISE EXCEPTION 'the limit "%" counts all jobs of a jobtype: no job asks for it', v_unknown
				USING ERRCODE = 'SO002', DETAIL = v_unknown;
		END IF;
		RAISE EXCEPTION 'there is no limit "%": an admin makes it (sortie limit set % N)', v_unknown, v_unknown
			USING ERRCODE = 'SO002', DETAIL = v_unknown;
	END IF;
	PERFORM pg_advisory_xact_lock(7004);
	SELECT coalesce(array_agg(l.limit_id ORDER BY l.limit_id), '{}'),
		coalesce(array_agg(coalesce((p_req->'limits'->>l.name)::int, 1)
			ORDER BY l.limit_id), '{}')
	INTO v_ids, v_counts
	FROM sortie.lim l
	WHERE coalesce(p_req->'limits', '{}') ? l.name
		OR l.name = 'jobtype:' || v_jobtype;
	INSERT INTO sortie.class (key, owner_id, project_id, jobtype, site,
		pools, labels, cores, memory, life_s, limit_ids, limit_counts)
	VALUES (v_key, p_owner, v_proj, v_jobtype,
		coalesce(p_req->>'site', ''), v_pools, v_labels,
		coalesce((p_req->>'cores')::int, 1),
		coalesce((p_req->>'memory')::bigint, 0), p_life_s, v_ids,
		v_counts)
	ON CONFLICT (key) DO UPDATE SET used_at = now(),
		limit_ids = excluded.limit_ids,
		limit_counts = excluded.limit_counts
	RETURNING sortie.class.class_id INTO v_class;

	WITH t AS (
		INSERT INTO sortie.term (term)
		SELECT 'pool:' || x FROM unnest(v_pools) AS x
		UNION
		SELECT 'site:' || (p_req->>'site') WHERE p_req->>'site' <> ''
		UNION
		SELECT 'label:' || k || '=' || v
		FROM jsonb_each_text(v_labels) AS l(k, v)
		ON CONFLICT (term) DO NOTHING
		RETURNING term)
	SELECT array_agg(term) INTO v_new_terms FROM t;
	IF v_new_terms IS NOT NULL THEN
		-- Pilots that offer a term nobody asked for until now get
		-- profiles that tell it.
		FOR v_pilot IN
			SELECT p.* FROM sortie.pilot p
			JOIN sortie.pilot_room r ON r.pilot = p.pilot
			WHERE 'site:' || p.site = ANY (v_new_terms)
			OR EXISTS (SELECT 1 FROM unnest(p.pools) AS x
				WHERE 'pool:' || x = ANY (v_new_terms))
			OR EXISTS (SELECT 1 FROM jsonb_each_text(p.labels)
				AS l(k, v)
				WHERE 'label:' || k || '=' || v
					= ANY (v_new_terms))
			ORDER BY p.pilot
			FOR UPDATE OF r
		LOOP
			v_profile := sortie.profile_ensure_1(v_pilot);
			UPDATE sortie.pilot_room r SET profile_id = v_profile
			WHERE r.pilot = v_pilot.pilot;
			moved := concat_ws(',', moved, v_pilot.pilot);
		END LOOP;
	END IF;
	PERFORM sortie.class_fit_1(ARRAY[v_class]);
	class_id := v_class;
	kind_id := v_kind;
	project_id := v_proj;
END $$;

-- How many classes have queued jobs, or will have, since jobs of them wait or
-- are about to be made (p_class); at most p_max are counted.
CREATE OR REPLACE FUNCTION sortie.classes_wanted_1(p_class int[], p_max int)
RETURNS int LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
BEGIN
	RETURN (WITH RECURSIVE w(class_id) AS (
			(SELECT min(x.class_id) FROM sortie.waiting x)
			UNION ALL
			SELECT (SELECT min(x.class_id) FROM sortie.waiting x
				WHERE x.class_id > w.class_id)
			FROM w WHERE w.class_id IS NOT NULL)
		SELECT count(*) FROM (
			SELECT class_id FROM w WHERE class_id IS NOT NULL
			UNION SELECT r.class_id FROM sortie.class_ready r
			WHERE EXISTS (SELECT 1
				FROM sortie.queue_head_1(r.class_id))
			UNION SELECT c FROM unnest(p_class) AS c
			LIMIT p_max) AS u);
END $$;

-- Keeps classes awake until the transaction's end. p_class: each once. SO009:
-- a class is asleep (or gone); only classes without a waiting, queued or live
-- job are put to sleep, so this meets a server's old cache, never a job on its
-- way.
CREATE OR REPLACE FUNCTION sortie.classes_keep_1(p_class int[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
BEGIN
	PERFORM pg_advisory_xact_lock_shared(7001, c)
	FROM unnest(p_class) AS c;
	IF (SELECT count(*) FROM sortie.class c
		WHERE c.class_id = ANY (p_class) AND c.active)
		<> cardinality(p_class) THEN
		RAISE EXCEPTION 'a class of the batch is not active'
			USING ERRCODE = 'SO009';
	END IF;
END $$;

-- Whether a class is awake; then it is kept so.
CREATE OR REPLACE FUNCTION sortie.class_awake_1(p_class int) RETURNS bool
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock_shared(7001, p_class);
	RETURN (SELECT c.active FROM sortie.class c
		WHERE c.class_id = p_class);
END $$;

-- The same for classes that may be asleep: wakes them. Before any row lock.
CREATE OR REPLACE FUNCTION sortie.classes_wake_1(p_class int[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	v_asleep int[];
BEGIN
	PERFORM pg_advisory_xact_lock_shared(7001, c)
	FROM (SELECT DISTINCT x FROM unnest(p_class) AS x) AS u(c);
	SELECT array_agg(c.class_id) INTO v_asleep FROM sortie.class c
	WHERE c.class_id = ANY (p_class) AND NOT c.active;
	IF v_asleep IS NOT NULL THEN
		PERFORM pg_advisory_xact_lock(7004);
		PERFORM sortie.class_fit_1(v_asleep);
	END IF;
END $$;

-- Keeps classes awake and marks them as queued. p_class: each once, with the
-- first of the jobs that are to be put into the queue, or a place before it: it
-- is the head from now on if it stands before the one that was noted. Returns
-- how many became queued by it. SO009 as above.
CREATE OR REPLACE FUNCTION sortie.classes_mark_2(p_class int[], p_place int[],
	p_turn bigint[], p_number bigint[]) RETURNS int
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
DECLARE
	v_new int[];
	v_front int[]; v_epoch bigint[]; -- indexes of those that come in front
BEGIN
	PERFORM sortie.classes_keep_1(p_class);
	SELECT array_agg(u.class_id) FILTER (WHERE r.marked IS NULL),
		array_agg(u.i) FILTER (WHERE f.after),
		array_agg(f.epoch) FILTER (WHERE f.after)
	INTO v_new, v_front, v_epoch
	FROM unnest(p_class, p_place, p_turn, p_number) WITH ORDINALITY
		AS u(class_id, place, turn, number, i)
	LEFT JOIN LATERAL (
		SELECT true AS marked FROM sortie.class_ready x
		WHERE x.class_id = u.class_id LIMIT 1) AS r ON true
	LEFT JOIN LATERAL (
		SELECT h.epoch, (u.place, u.turn, u.number)
			< (h.place, h.turn, h.number) AS after
		FROM sortie.class_head h WHERE h.class_id = u.class_id
		ORDER BY h.epoch DESC, h.place, h.turn, h.number
		LIMIT 1) AS f ON true;
	IF v_front IS NOT NULL THEN
		INSERT INTO sortie.class_head (class_id, epoch, place, turn,
			number)
		SELECT p_class[u.i], u.epoch, p_place[u.i], p_turn[u.i],
			p_number[u.i]
		FROM unnest(v_front, v_epoch) AS u(i, epoch);
	END IF;
	IF v_new IS NOT NULL THEN
		INSERT INTO sortie.class_ready (class_id)
		SELECT unnest(v_new);
	END IF;
	RETURN coalesce(cardinality(v_new), 0);
END $$;

-- Puts jobs into the queue and marks their classes as queued. Returns how many
-- classes became queued by it. SO009 as above.
CREATE OR REPLACE FUNCTION sortie.queue_put_1(p_class int[], p_place int[],
	p_turn bigint[], p_number bigint[], p_attempt smallint[], p_kind int[])
RETURNS int LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_class int[] := p_class; v_place int[] := p_place;
	v_turn bigint[] := p_turn; v_number bigint[] := p_number;
	v_new int;
BEGIN
	IF p_class IS NULL THEN
		RETURN 0;
	ELSIF cardinality(p_class) > 1 THEN
		SELECT array_agg(u.class_id), array_agg(u.place),
			array_agg(u.turn), array_agg(u.number)
		INTO v_class, v_place, v_turn, v_number
		FROM (SELECT DISTINCT ON (x.class_id) x.*
			FROM unnest(p_class, p_place, p_turn, p_number)
				AS x(class_id, place, turn, number)
			ORDER BY x.class_id, x.place, x.turn, x.number) AS u;
	END IF;
	v_new := sortie.classes_mark_2(v_class, v_place, v_turn, v_number);
	INSERT INTO sortie.queue (class_id, place, turn, number, attempt,
		kind_id)
	SELECT * FROM unnest(p_class, p_place, p_turn, p_number, p_attempt,
		p_kind);
	RETURN v_new;
END $$;
