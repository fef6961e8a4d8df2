-- The feed of events.

CREATE OR REPLACE FUNCTION sortie.feed_event_1(e sortie.event) RETURNS sortie.feed_row
LANGUAGE sql IMMUTABLE AS $$
	SELECT ROW(e.xid, 0, e.seq, 0, e.at, e.kind, e.owner_id, e.job,
		e.pilot, e.text, e.detail)::sortie.feed_row
$$;

CREATE OR REPLACE FUNCTION sortie.feed_run_1(r sortie.run) RETURNS sortie.feed_row
LANGUAGE sql STABLE AS $$
	SELECT ROW(r.xid, 1, r.number, r.attempt, r.ended_at, 'ended', NULL,
		r.number, r.pilot, 'run ' || r.attempt || ': ' || r.state
		|| CASE WHEN r.reason <> '' THEN ' (' || r.reason || ')'
		ELSE '' END,
		json_strip_nulls(json_build_object('attempt', r.attempt,
			'run', lpad(to_hex(r.run), 16, '0'), 'state', r.state,
			'reason', nullif(r.reason, ''),
			'exit_code', r.exit_code, 'signal', r.signal,
			'granted_at', sortie.utc_1(r.granted_at),
			'started_at', sortie.utc_1(r.started_at),
			'wall_ms', r.wall_ms)))::sortie.feed_row
$$;

-- A page of the feed, oldest first.
--     p_xid ...   the cursor: what comes after it; p_xid NULL: the last page
--     p_job       only of this job; p_kind  only of this kind
--     p_page      so many; of the last page the newest that the asker may see
--                 among the newest 2,000
-- Only transactions older than every running one are read, so nothing that
-- commits late is passed over. At most 2,000 rows are read: the page may come
-- back empty although there is more, then more is true. next is the cursor to
-- go on from, "xid-src-n-attempt".
CREATE OR REPLACE FUNCTION sortie.feed_1(p_owner int, p_projects int[], p_xid xid8,
	p_src int, p_n bigint, p_attempt int, p_job bigint, p_kind text,
	p_page int, OUT items text, OUT next text, OUT more bool)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	v_end xid8 := pg_snapshot_xmin(pg_current_snapshot());
	v_rows sortie.feed_row[];
	v_seq bigint := CASE WHEN p_src = 0 THEN p_n
		ELSE 9223372036854775807 END;
	v_number bigint := CASE WHEN p_src = 1 THEN p_n ELSE -1 END;
	v_newest bool := p_xid IS NULL AND p_job IS NULL;
	v_look int := CASE WHEN p_owner IS NULL AND p_kind IS NULL
		AND coalesce(p_projects, '{}') = '{}' THEN p_page
		ELSE 2000 END;
	v_last sortie.feed_row;
	v_n int;
BEGIN
	IF p_job IS NOT NULL THEN
		SELECT array_agg(s.f ORDER BY s.xid, s.src, s.n, s.attempt)
		INTO v_rows
		FROM (SELECT u.f, (u.f).*
			FROM (SELECT sortie.feed_event_1(e) AS f
				FROM sortie.event e WHERE e.job = p_job
				AND e.xid < v_end
				UNION ALL
				SELECT sortie.feed_run_1(r)
				FROM sortie.run r WHERE r.number = p_job
				AND r.xid < v_end) AS u
			WHERE p_xid IS NULL OR ((u.f).xid, (u.f).src, (u.f).n,
				(u.f).attempt) > (p_xid, p_src, p_n, p_attempt)
			ORDER BY 2, 3, 4, 5 LIMIT 2000) AS s;
	ELSIF p_kind = 'note' THEN
		-- Few among many: they have an index of their own.
		SELECT array_agg(s.f ORDER BY s.xid, s.seq)
		INTO v_rows
		FROM ((SELECT sortie.feed_event_1(e) AS f, e.xid, e.seq
			FROM sortie.event e
			WHERE e.kind = 'note' AND p_xid IS NULL
			AND e.xid < v_end
			ORDER BY e.xid DESC, e.seq DESC LIMIT p_page)
			UNION ALL
			(SELECT sortie.feed_event_1(e), e.xid, e.seq
			FROM sortie.event e
			WHERE e.kind = 'note' AND (e.xid, e.seq)
				> (p_xid, v_seq)
			AND e.xid < v_end
			ORDER BY e.xid, e.seq LIMIT 2000)) AS s;
	ELSIF p_xid IS NULL THEN
		SELECT array_agg(s.f ORDER BY s.xid, s.src, s.n, s.attempt)
		INTO v_rows
		FROM (SELECT u.f, (u.f).*
			FROM ((SELECT sortie.feed_event_1(e) AS f
				FROM sortie.event e WHERE e.xid < v_end
				ORDER BY e.xid DESC, e.seq DESC LIMIT v_look)
				UNION ALL
				(SELECT sortie.feed_run_1(r)
				FROM sortie.run r WHERE r.xid < v_end
				ORDER BY r.xid DESC, r.number DESC
				LIMIT v_look)) AS u
			ORDER BY 2 DESC, 3 DESC, 4 DESC, 5 DESC
			LIMIT v_look) AS s;
	ELSE
		SELECT array_agg(s.f ORDER BY s.xid, s.src, s.n, s.attempt)
		INTO v_rows
		FROM (SELECT u.f, (u.f).*
			FROM ((SELECT sortie.feed_event_1(e) AS f
				FROM sortie.event e
				WHERE (e.xid, e.seq) > (p_xid, v_seq)
				AND e.xid < v_end
				ORDER BY e.xid, e.seq LIMIT 2000)
				UNION ALL
				(SELECT sortie.feed_run_1(r)
				FROM sortie.run r
				WHERE (r.xid, r.number) >= (p_xid, v_number)
				AND NOT (r.xid = p_xid AND r.number = v_number
					AND r.attempt <= p_attempt)
				AND r.xid < v_end
				ORDER BY r.xid, r.number LIMIT 2000)) AS u
			ORDER BY 2, 3, 4, 5 LIMIT 2000) AS s;
	END IF;
	v_n := coalesce(cardinality(v_rows), 0);
	more := v_n = 2000;
	IF v_n > 0 THEN
		v_last := v_rows[v_n];
	END IF;

	SELECT string_agg(s.view, ',' ORDER BY s.ord), count(*), max(s.ord)
	INTO items, v_n, p_attempt
	FROM (SELECT u.ord, json_strip_nulls(json_build_object(
			'at', sortie.utc_1(u.at), 'kind', u.kind,
			'owner', o.name, 'job', u.job, 'pilot', u.pilot,
			'text', nullif(u.body, ''), 'detail', u.detail))::text
			AS view
		FROM unnest(v_rows) WITH ORDINALITY AS u(xid, src, n, attempt,
			at, kind, owner_id, job, pilot, body, detail, ord)
		LEFT JOIN sortie.job j ON j.number = u.job
		LEFT JOIN sortie.kind k ON k.kind_id = j.kind_id
		LEFT JOIN sortie.pilot p ON p.pilot = u.pilot
		LEFT JOIN sortie.owner o ON o.owner_id
			= coalesce(k.owner_id, u.owner_id, p.owner_id)
		WHERE (p_kind IS NULL OR u.kind = p_kind)
		AND (p_owner IS NULL
			OR coalesce(k.owner_id, u.owner_id, p.owner_id)
				= p_owner)
		AND (coalesce(p_projects, '{}') = '{}'
			OR k.project_id = ANY (p_projects))
		ORDER BY CASE WHEN v_newest THEN -u.ord ELSE u.ord END
		LIMIT p_page) AS s;
	IF v_n = p_page THEN
		v_last := v_rows[p_attempt];
		more := true;
	END IF;
	next := CASE WHEN v_last.xid IS NOT NULL
		THEN v_last.xid || '-' || v_last.src || '-' || v_last.n || '-'
			|| v_last.attempt
		WHEN p_xid IS NOT NULL THEN NULL
		ELSE '0-0-0-0' END;
END $$;
