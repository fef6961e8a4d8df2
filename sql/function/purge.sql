-- Ended jobs that go by hand, when asked for after they were written elsewhere.
--
-- Steps are small and skip what others have locked. Each takes its turn with
-- the other changes by hand (7008).

-- At most p_max jobs that ended p_older_s ago, that somebody may see, but those
-- of workflows; NULL means any state, any project.
CREATE OR REPLACE FUNCTION sortie.purge_find_1(p_owner int, p_projects int[],
	p_older_s bigint, p_state sortie.job_state, p_project text, p_max int)
RETURNS bigint[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	v_kinds int[] := sortie.kinds_1(p_owner, p_projects, NULL, p_project,
		NULL);
	v_cut timestamptz := now() - make_interval(secs => p_older_s);
	v_bound bigint := sortie.number_since_1(v_cut) + 1;
	v_old bigint[];
BEGIN
	IF p_older_s < 60 THEN
		v_bound := 9223372036854775807;
	END IF;
	IF v_kinds IS NOT NULL THEN
		SELECT array_agg(x.number) INTO v_old
		FROM (SELECT h.number
			FROM unnest(v_kinds) AS k(kind_id)
			CROSS JOIN LATERAL (
				SELECT j.number FROM sortie.job j
				JOIN sortie.ended e ON e.number = j.number
				WHERE j.kind_id = k.kind_id
				AND j.number < v_bound
				AND e.ended_at <= v_cut
				AND (p_state IS NULL OR e.state = p_state)
				AND sortie.job_workflow_1(j.number) IS NULL
				ORDER BY j.number LIMIT p_max) AS h
			LIMIT p_max) AS x;
	ELSIF p_state IS NULL OR p_state = 'finished' THEN
		SELECT array_agg(x.number) INTO v_old
		FROM (SELECT e.number FROM sortie.ended e
			WHERE e.number < v_bound AND e.ended_at <= v_cut
			AND (p_state IS NULL OR e.state = p_state)
			AND sortie.job_workflow_1(e.number) IS NULL
			ORDER BY e.number LIMIT p_max) AS x;
	ELSE
		SELECT array_agg(x.number) INTO v_old
		FROM (SELECT e.number FROM sortie.ended e
			WHERE e.state = p_state AND e.state <> 'finished'
			AND e.number < v_bound AND e.ended_at <= v_cut
			AND sortie.job_workflow_1(e.number) IS NULL
			ORDER BY e.number LIMIT p_max) AS x;
	END IF;
	RETURN v_old;
END $$;

-- Forgets those of the jobs that ended p_older_s ago and that nobody is at; how many.
-- p_seen: and that have neither a run nor an event that this snapshot does not
-- show; NULL: whatever became of them.
CREATE OR REPLACE FUNCTION sortie.purge_these_1(p_bucket int, p_owner int,
	p_projects int[], p_older_s bigint, p_number bigint[],
	p_seen pg_snapshot) RETURNS int
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	v_old bigint[];
	v_n int;
BEGIN
	SELECT array_agg(x.number) INTO v_old
	FROM (SELECT e.number FROM sortie.ended e
		WHERE e.number = ANY (p_number)
		AND e.ended_at <= now() - make_interval(secs => p_older_s)
		ORDER BY e.number FOR UPDATE SKIP LOCKED) AS x;
	IF p_seen IS NOT NULL THEN
		SELECT array_agg(u.number) INTO v_old
		FROM unnest(v_old) AS u(number)
		JOIN sortie.job j ON j.number = u.number
		JOIN sortie.kind k ON k.kind_id = j.kind_id
		WHERE sortie.may_see_1(p_owner, p_projects, k.owner_id,
				k.project_id)
		AND sortie.job_workflow_1(u.number) IS NULL
		AND NOT EXISTS (SELECT 1 FROM sortie.run r
			WHERE r.number = u.number
			AND NOT pg_visible_in_snapshot(r.xid, p_seen))
		AND NOT EXISTS (SELECT 1 FROM sortie.event x
			WHERE x.job = u.number
			AND NOT pg_visible_in_snapshot(x.xid, p_seen));
	END IF;
	v_n := coalesce(cardinality(v_old), 0);
	IF v_n > 0 THEN
		PERFORM sortie.jobs_forget_1(p_bucket, v_old);
		INSERT INTO sortie.event (kind, owner_id, text)
		VALUES ('purged', p_owner, v_n || CASE v_n
			WHEN 1 THEN ' job' ELSE ' jobs' END);
	END IF;
	RETURN v_n;
END $$;

-- One step of a purge. more: call again.
CREATE OR REPLACE FUNCTION sortie.purge_1(p_bucket int, p_owner int, p_projects int[],
	p_older_s bigint, p_state sortie.job_state, p_project text, p_max int,
	OUT deleted int, OUT more bool)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	deleted := sortie.purge_these_1(p_bucket, p_owner, p_projects,
		p_older_s, sortie.purge_find_1(p_owner, p_projects, p_older_s, p_state,
			p_project, p_max), NULL);
	more := deleted >= p_max;
END $$;

-- Jobs as lines of JSON, each with all that is known of it but its output:
-- what `sortie job show --json` tells, and its events. So many of the given
-- ones, in their order, as make p_bytes, at least one.
CREATE OR REPLACE FUNCTION sortie.export_lines_1(p_number bigint[],
	p_bytes bigint, OUT o_lines text, OUT o_number bigint[])
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	-- What is long is known before it is read: the definition and a
	-- line of 400 bytes for each run and event.
	SELECT array_agg(w.number ORDER BY w.number) INTO o_number
	FROM (SELECT u.number, sum(octet_length(j.definition) + 1000 + 400 * (
			(SELECT count(*) FROM sortie.run r
				WHERE r.number = u.number)
			+ (SELECT count(*) FROM sortie.event e
				WHERE e.job = u.number)))
			OVER (ORDER BY u.number) AS upto,
			row_number() OVER (ORDER BY u.number) AS ord
		FROM unnest(p_number) AS u(number)
		JOIN sortie.job j ON j.number = u.number) AS w
	WHERE w.upto <= p_bytes OR w.ord = 1;
	SELECT string_agg(translate(left(v.view, -1) || ',"definition":'
		|| sortie.definition_shown_1(j.definition) || ',"runs":'
		|| sortie.run_views_1(v.number) || ',"meta":'
		|| sortie.meta_view_1(v.number) || ',"events":'
		|| (SELECT coalesce(json_agg(json_strip_nulls(
			json_build_object('at', sortie.utc_1(e.at),
			'kind', e.kind, 'pilot', e.pilot,
			'text', nullif(e.text, ''), 'detail', e.detail))
			ORDER BY e.xid, e.seq), '[]')::text
			FROM sortie.event e WHERE e.job = v.number)
		|| '}', E'\n', ' ') || E'\n', '' ORDER BY v.number)
	INTO o_lines
	FROM sortie.job_views_1(o_number) AS v
	JOIN sortie.job j ON j.number = v.number;
END $$;

-- One step of a purge that writes first. p_seen, p_number: forgets the jobs
-- that the step before has told (NULL: there was none), unless something has
-- become of them since. Then tells the next ones, as export_lines_1 does, and
-- with which snapshot it saw them. lines NULL: there are no more.
CREATE OR REPLACE FUNCTION sortie.purge_export_1(p_bucket int, p_owner int,
	p_projects int[], p_older_s bigint, p_state sortie.job_state,
	p_project text, p_max int, p_seen pg_snapshot, p_number bigint[],
	OUT deleted int, OUT lines text, OUT seen pg_snapshot,
	OUT number bigint[])
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	deleted := 0;
	IF p_number IS NOT NULL THEN
		deleted := sortie.purge_these_1(p_bucket, p_owner, p_projects,
			p_older_s, p_number, p_seen);
	END IF;
	-- One statement, so one snapshot.
	SELECT x.o_lines, x.o_number, pg_current_snapshot()
	INTO lines, number, seen
	FROM sortie.export_lines_1(sortie.purge_find_1(p_owner, p_projects,
		p_older_s, p_state, p_project, p_max), 1000000) AS x;
END $$;
