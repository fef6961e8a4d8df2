-- Why a job waits.

-- Everything that says why this job is not running; NULL when there is none of
-- that number. Whoever asks has been checked; p_owner and p_projects only say
-- which holders of limits may be named. Terms are those that the job asks for
-- or that rule out a pilot, over the pilots that live now; an ended job has
-- none, and no limits. `place` counts the queued jobs of all classes that want
-- the same pilots; beyond 10,000 it is not counted further.
CREATE OR REPLACE FUNCTION sortie.explain_1(p_number bigint, p_owner int,
	p_projects int[]) RETURNS json
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_mergejoin = off
AS $$
DECLARE
	j sortie.job; c sortie.class; w sortie.waiting; l sortie.live;
	e sortie.ended; q sortie.queue; p sortie.project;
	v_owner text;
	v_memory text;                  -- what the job itself asks for
	v_state text;
	v_first text;
	v_before bigint;
	v_terms json;
	v_all text;                     -- the terms that no pilot meets
	v_some text;
	v_limits json;
	v_full text;
	v_live int; v_fit int; v_free int; v_mine int; v_kept int;
	v_draining int;
	f record;
BEGIN
	SELECT * INTO j FROM sortie.job WHERE number = p_number;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	SELECT * INTO c FROM sortie.class WHERE class_id = j.class_id;
	SELECT * INTO e FROM sortie.ended WHERE number = p_number;
	SELECT * INTO l FROM sortie.live WHERE number = p_number;
	SELECT * INTO w FROM sortie.waiting WHERE number = p_number;
	SELECT * INTO q FROM sortie.queue WHERE number = p_number;
	SELECT * INTO p FROM sortie.project WHERE project_id = c.project_id;
	v_memory := sortie.bytes_1(coalesce((j.definition::json
		->> 'memory')::bigint, c.memory));
	SELECT name INTO v_owner FROM sortie.owner WHERE owner_id = c.owner_id;

	SELECT count(*) AS live,
		count(*) FILTER (WHERE x.owner) AS owner,
		count(*) FILTER (WHERE x.project) AS project,
		count(*) FILTER (WHERE x.site) AS site,
		count(*) FILTER (WHERE x.pools) AS pools,
		count(*) FILTER (WHERE x.labels) AS labels,
		count(*) FILTER (WHERE x.jobtype) AS jobtype,
		count(*) FILTER (WHERE x.no_cores) AS cores,
		count(*) FILTER (WHERE x.no_memory) AS memory,
		count(*) FILTER (WHERE x.life) AS life,
		count(*) FILTER (WHERE x.draining) AS draining,
		count(*) FILTER (WHERE x.fits) AS fit,
		count(*) FILTER (WHERE x.fits AND x.free AND NOT x.kept
			OR x.fits AND x.mine AND x.free) AS free,
		count(*) FILTER (WHERE x.fits AND x.kept) AS kept,
		max(x.pilot) FILTER (WHERE x.mine) AS mine
	INTO f
	FROM (SELECT y.*, NOT (y.owner OR y.project OR y.site OR y.pools
			OR y.labels OR y.jobtype OR y.no_cores OR y.no_memory
			OR y.life OR y.draining) AS fits
		FROM (SELECT r.pilot, t.owner, t.project, t.site, t.pools,
				t.labels, t.jobtype,
				r.cores < c.cores AS no_cores,
				r.memory < c.memory AS no_memory,
				coalesce(extract(epoch FROM r.ends_at - now())
					< c.life_s, false) AS life,
				r.pilot_order IS NOT NULL AS draining,
				r.slots > r.used_slots
				AND r.cores - r.used_cores >= c.cores
				AND r.memory - r.used_memory >= c.memory
					AS free,
				coalesce(r.reserved_number = p_number, false)
					AS mine,
				coalesce((q.place, q.turn, q.number)
					> (r.reserved_place, r.reserved_turn,
					r.reserved_number), false) AS kept
			FROM sortie.pilot_room r
			JOIN (SELECT o.profile_id,
				NOT (o.everybody OR o.owner_id = c.owner_id)
					AS owner,
				NOT (o.project_ids = '{}' OR c.project_id
					= ANY (o.project_ids)) AS project,
				c.site <> '' AND c.site <> o.site AS site,
				c.pools <> '{}' AND NOT c.pools && o.pools
					AS pools,
				NOT o.labels @> c.labels AS labels,
				o.accept <> '{}'
				AND NOT c.jobtype = ANY (o.accept)
				OR c.jobtype = ANY (o.refuse) AS jobtype
				FROM sortie.profile o OFFSET 0) AS t
				ON t.profile_id = r.profile_id) AS y) AS x;
	v_live := f.live;
	v_fit := f.fit;
	v_free := f.free;
	v_kept := f.kept;
	v_mine := f.mine;
	v_draining := f.draining;

	SELECT coalesce(json_agg(json_build_object('term', t.term,
			'wants', t.wants, 'pilots_failing', t.n)
			ORDER BY t.n DESC, t.ord), '[]'),
		string_agg(t.none, ', and ' ORDER BY t.ord)
			FILTER (WHERE t.n = v_live),
		string_agg(t.term || ' ' || coalesce('"' || t.wants || '" ',
			'') || 'rules out ' || t.n, ', ' ORDER BY t.n DESC,
			t.ord) FILTER (WHERE t.n > 0)
	INTO v_terms, v_all, v_some
	FROM (VALUES
		(1, 'owner', v_owner, f.owner, false,
			format('no pilot may take jobs of %s', v_owner)),
		(2, 'project', p.name, f.project, false,
			format('no pilot may take jobs of the project "%s"',
			p.name)),
		(3, 'site', c.site, f.site, c.site <> '',
			format('no pilot is at the site "%s"', c.site)),
		(4, 'pools', array_to_string(c.pools, ', '), f.pools,
			c.pools <> '{}', format('no pilot is in the pool "%s"',
			array_to_string(c.pools, '" or "'))),
		(5, 'labels', (SELECT string_agg(k || '=' || v, ', ')
			FROM jsonb_each_text(c.labels) AS x(k, v)), f.labels,
			c.labels <> '{}', format('no pilot has the label %s',
			(SELECT string_agg(k || '=' || v, ' and ')
			FROM jsonb_each_text(c.labels) AS x(k, v)))),
		(6, 'jobtype', c.jobtype, f.jobtype, c.jobtype <> '',
			CASE c.jobtype WHEN '' THEN
			'no pilot takes jobs without a jobtype' ELSE
			format('no pilot takes the jobtype "%s"', c.jobtype)
			END),
		(7, 'cores', c.cores::text, f.cores, c.cores > 1,
			format('no pilot has %s cores', c.cores)),
		(8, 'memory', v_memory, f.memory, c.memory > 0,
			format('no pilot has %s of memory', v_memory)),
		(9, 'life', c.life_s::text, f.life, false,
			format('no pilot lives for another %s s', c.life_s)),
		(10, 'draining', NULL, f.draining, false,
			'every pilot is draining'))
		AS t(ord, term, wants, n, asked, none)
	WHERE e.number IS NULL AND (t.asked OR t.n > 0);

	-- Limits with their holders, the first 20 that may be named.
	SELECT coalesce(json_agg(json_build_object('name', m.name,
			'used', m.used, 'capacity', m.capacity,
			'wants', m.n, 'holders', coalesce(m.holders, '{}'))
			ORDER BY m.name), '[]'),
		string_agg(format('%s: %s of %s used%s', CASE
			WHEN m.name LIKE 'jobtype:%' THEN 'a place among jobs '
				'of the jobtype "' || substr(m.name, 9) || '"'
			ELSE 'the limit "' || m.name || '"' END, m.used,
			m.capacity, CASE cardinality(m.holders)
			WHEN 0 THEN '' WHEN 1 THEN ' by job '
			ELSE ' by jobs ' END
			|| array_to_string(m.holders[1 : 5], ', ')
			|| CASE WHEN cardinality(m.holders) > 5
				THEN ' and others' ELSE '' END), '; '
			ORDER BY m.name)
			FILTER (WHERE m.used + m.n > m.capacity)
	INTO v_limits, v_full
	FROM (SELECT i.name, i.used, i.capacity, u.n,
			ARRAY(SELECT h.number FROM sortie.live h
			JOIN sortie.class hc ON hc.class_id = h.class_id
			WHERE u.limit_id = ANY (hc.limit_ids)
			AND sortie.may_see_1(p_owner, p_projects, hc.owner_id,
				hc.project_id)
			ORDER BY h.granted_at, h.number LIMIT 20) AS holders
		FROM unnest(c.limit_ids, c.limit_counts) AS u(limit_id, n)
		JOIN sortie.lim i ON i.limit_id = u.limit_id
		WHERE i.capacity IS NOT NULL AND e.number IS NULL
		UNION ALL
		SELECT 'project:' || p.name, p.admitted, p.max_running, 1,
			NULL
		WHERE p.max_running IS NOT NULL AND w.why = 'gate') AS m;

	IF e.number IS NOT NULL THEN
		v_state := e.state;
		v_first := format('job %s has ended: %s%s', p_number, e.state,
			CASE WHEN e.reason <> '' THEN ' (' || e.reason || ')'
			WHEN e.signal IS NOT NULL THEN ' (signal ' || e.signal
				|| ')'
			WHEN e.exit_code <> 0 THEN ' (exit code '
				|| e.exit_code || ')'
			ELSE '' END);
	ELSIF l.number IS NOT NULL THEN
		v_state := CASE WHEN l.running THEN 'running'
			ELSE 'dispatched' END;
		v_first := format('job %s %s pilot %s (%s) since %s%s',
			p_number, CASE WHEN l.running THEN 'runs on'
			ELSE 'was granted to' END, l.pilot,
			coalesce((SELECT host FROM sortie.pilot
				WHERE pilot = l.pilot), 'unknown'),
			sortie.utc_1(coalesce(l.started_at, l.granted_at)),
			CASE WHEN l.cancelling THEN '; it is being cancelled'
			ELSE '' END);
	ELSIF w.why = 'held' THEN
		v_state := 'held';
		v_first := format('it is held: `sortie job release %s` puts '
			'it into the queue', p_number);
	ELSIF w.why = 'time' THEN
		v_state := 'waiting';
		v_first := format(CASE WHEN w.attempt > 1
			THEN 'attempt %2$s failed; it is tried again at %1$s'
			ELSE 'it is not to be run before %1$s' END,
			sortie.utc_1(w.due), w.attempt - 1);
	ELSIF w.why = 'gate' THEN
		v_state := 'waiting';
		v_first := format('the project "%s" has its maximum of %s jobs '
			'queued or running', p.name, p.max_running);
	ELSIF w.why IN ('after', 'share') THEN
		v_state := 'waiting';
		v_first := sortie.node_waits_1(p_number);
	ELSE
		v_state := 'defined';
		SELECT count(*) INTO v_before
		FROM (SELECT 1 FROM (SELECT DISTINCT m.class_id
				FROM sortie.class_ready m) AS r
			JOIN sortie.class k ON k.class_id = r.class_id
			CROSS JOIN LATERAL sortie.queue_head_1(k.class_id)
				AS h
			CROSS JOIN LATERAL (
				SELECT 1 FROM sortie.queue x
				WHERE x.class_id = k.class_id
				AND (x.place, x.turn, x.number)
					>= (h.place, h.turn, h.number)
				AND (x.place, x.turn, x.number)
					< (q.place, q.turn, q.number)
				LIMIT 10000) AS s
			WHERE c.profiles = '{}' OR k.profiles && c.profiles
			LIMIT 10000) AS s;
		v_first := CASE
			WHEN v_live = 0 THEN 'no pilot is connected: start one '
				'with `sortie pilot start`'
			WHEN v_fit = 0 AND v_all IS NOT NULL THEN v_all
			WHEN v_fit = 0 AND v_live = 1 THEN
				'the only pilot does not fit: ' || v_some
			WHEN v_fit = 0 THEN format('none of the %s pilots '
				'fits: %s', v_live, v_some)
			WHEN v_full IS NOT NULL THEN 'it waits for ' || v_full
			WHEN v_mine IS NOT NULL THEN format('pilot %s is kept '
				'free for it and still has other jobs', v_mine)
			ELSE format('%s fit%s%s; %s', CASE v_fit
				WHEN 1 THEN 'one pilot'
				ELSE v_fit || ' pilots' END,
				CASE v_fit WHEN 1 THEN 's' ELSE '' END,
				CASE WHEN v_fit = 1 AND v_free = 1
					THEN ' and has room for it'
				WHEN v_fit = 1 THEN ' and is busy'
				WHEN v_free > 0 THEN ', ' || v_free
					|| ' with room for it'
				ELSE ', all are busy' END,
				CASE v_before WHEN 0 THEN 'it is the next'
				WHEN 1 THEN 'one job comes first'
				WHEN 10000 THEN
					'more than 10,000 jobs come first'
				ELSE v_before || ' jobs come first' END)
			END;
	END IF;
	RETURN json_strip_nulls(json_build_object('job', p_number, 'state', v_state,
		'place', v_before + 1, 'place_exact', v_before < 10000,
		'first', v_first, 'terms', v_terms, 'limits', v_limits,
		'pilots', json_build_object('live', v_live, 'fitting', v_fit,
			'fitting_free', v_free, 'draining', v_draining,
			'kept_for_others', v_kept)));
END $$;
