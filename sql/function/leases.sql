-- Pilots come and go: registration, leaving, service time, expiry and
-- adoption.

-- Registers a pilot. p_predecessor: number of the pilot whose spool it found
-- (the server has checked its token), or NULL; that one ends, and its live
-- runs belong to the new pilot, whose first report settles them.
CREATE OR REPLACE FUNCTION sortie.pilot_register_1(p_bucket int, p_server bigint,
	p_lease bigint, p_high bigint, p_low bigint, p_owner int,
	p_everybody bool, p_project_ids int[], p_host text, p_site text,
	p_pools text[], p_labels jsonb, p_accept text[], p_refuse text[],
	p_slots int, p_cores int, p_memory bigint, p_batch_id text,
	p_version text, p_life_s bigint, p_predecessor bigint,
	OUT pilot bigint, OUT id uuid, OUT site json)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	v sortie.pilot;
	v_used record;
BEGIN
	PERFORM pg_advisory_xact_lock(7004);
	v.pilot := nextval('sortie.pilot_number');
	INSERT INTO sortie.pilot (pilot, id, owner_id, everybody, project_ids,
		host, site, pools, labels, accept, refuse, slots, cores,
		memory, batch_id, version, predecessor, ends_at)
	VALUES (v.pilot, sortie.uuid_1(p_high, p_low, v.pilot), p_owner,
		p_everybody, p_project_ids, p_host, p_site, p_pools, p_labels,
		p_accept, p_refuse, p_slots, p_cores, p_memory, p_batch_id,
		p_version, p_predecessor, CASE WHEN p_life_s > 0
			THEN now() + make_interval(secs => p_life_s) END)
	RETURNING * INTO v;
	INSERT INTO sortie.pilot_room (pilot, profile_id, slots, cores, memory,
		server, lease_tick, ends_at)
	VALUES (v.pilot, sortie.profile_ensure_1(v), p_slots, p_cores,
		sortie.memory_1(p_memory), p_server, p_lease, v.ends_at);
	IF p_predecessor IS NOT NULL THEN
		PERFORM 1 FROM sortie.pilot_room r
		WHERE r.pilot = p_predecessor FOR UPDATE;
		UPDATE sortie.live l SET pilot = v.pilot, inherited = true
		WHERE l.pilot = p_predecessor;
		IF FOUND THEN
			UPDATE sortie.pilot_room r
			SET inherited = true, used_slots = u.used_slots,
				used_cores = u.used_cores,
				used_memory = u.used_memory
			FROM sortie.pilot_room u
			WHERE r.pilot = v.pilot AND u.pilot = p_predecessor;
		END IF;
		PERFORM sortie.pilot_gone_1(p_predecessor, 'lost',
			'succeeded by pilot ' || v.pilot);
	END IF;
	INSERT INTO sortie.event (kind, owner_id, pilot, text)
	VALUES ('pilot registered', p_owner, v.pilot, p_host);
	pilot := v.pilot;
	id := v.id;
	site := (SELECT s.definition FROM sortie.site s
		WHERE s.name = p_site)::json;
END $$;

-- The hot half goes; what it counted is kept. Runs are settled before.
CREATE OR REPLACE FUNCTION sortie.pilot_gone_1(p_pilot bigint, p_state text,
	p_reason text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_done bigint;
BEGIN
	DELETE FROM sortie.pilot_room p WHERE p.pilot = p_pilot
	RETURNING p.done INTO v_done;
	UPDATE sortie.pilot p
	SET ended_at = coalesce(p.ended_at, now()),
		end_state = coalesce(p.end_state, p_state),
		end_reason = CASE WHEN p.end_state IS NULL THEN p_reason
			ELSE p.end_reason END,
		jobs_done = p.jobs_done + coalesce(v_done, 0)
	WHERE p.pilot = p_pilot;
	INSERT INTO sortie.event (kind, owner_id, pilot, text)
	SELECT 'pilot ' || p.end_state, p.owner_id, p.pilot, p_reason
	FROM sortie.pilot p WHERE p.pilot = p_pilot;
END $$;

-- A pilot that was given up speaks again: it gets its room back.
CREATE OR REPLACE FUNCTION sortie.pilot_revive_1(p_pilot bigint, p_server bigint,
	p_lease bigint) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
	v sortie.pilot;
BEGIN
	PERFORM pg_advisory_xact_lock(7004);
	UPDATE sortie.pilot p
	SET ended_at = NULL, end_state = NULL, end_reason = ''
	WHERE p.pilot = p_pilot AND p.end_state = 'lost'
		AND p.end_reason = 'lease expired'
	RETURNING * INTO v;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	INSERT INTO sortie.pilot_room (pilot, profile_id, slots, cores, memory,
		server, lease_tick, ends_at)
	VALUES (v.pilot, sortie.profile_ensure_1(v), v.slots, v.cores,
		sortie.memory_1(v.memory), p_server, p_lease, v.ends_at)
	ON CONFLICT (pilot) DO NOTHING;
	INSERT INTO sortie.event (kind, owner_id, pilot, text)
	VALUES ('pilot revived', v.owner_id, v.pilot,
		'taken for lost, and speaks');
	RETURN true;
END $$;

-- As servers call it that want to hear of the pilot alone.
CREATE OR REPLACE FUNCTION sortie.pilot_leave_1(p_bucket int, p_loss_budget int,
	p_pilot bigint) RETURNS bool LANGUAGE sql AS $$
	SELECT coalesce(bool_or(l.what = 'p'), false)
	FROM sortie.pilot_leave_2(p_bucket, p_loss_budget, p_pilot) AS l
$$;

-- A pilot leaves. Runs that never started go back at no cost, others are lost.
-- No row: it is not there. Else a row 'p', a row 'e' for each job that ended
-- for good, and those of settle_2 but classes with work.
CREATE OR REPLACE FUNCTION sortie.pilot_leave_2(p_bucket int, p_loss_budget int,
	p_pilot bigint) RETURNS TABLE (what "char", number bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	v_n int; v_number bigint[]; v_run bigint[]; v_started bool[];
	v_state sortie.run_state[];
	e record;
BEGIN
	PERFORM pg_advisory_xact_lock(7008);
	PERFORM 1 FROM sortie.pilot_room p WHERE p.pilot = p_pilot FOR UPDATE;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	what := 'p'; number := p_pilot;
	RETURN NEXT;
	SELECT count(*), array_agg(l.number), array_agg(l.run),
		array_agg(l.running), array_agg(CASE WHEN l.running THEN 'lost'
			ELSE 'returned' END::sortie.run_state)
	INTO v_n, v_number, v_run, v_started, v_state
	FROM sortie.live l WHERE l.pilot = p_pilot;
	IF v_n > 0 THEN
		SELECT * INTO e FROM sortie.runs_drop_2(p_bucket,
			p_loss_budget, v_number, v_run, v_started, v_state,
			'pilot left');
	END IF;
	PERFORM sortie.pilot_gone_1(p_pilot, 'stopped', 'left');
	IF v_n > 0 THEN
		RETURN QUERY SELECT 'e'::"char", x FROM unnest(e.o_ended) AS x;
		RETURN QUERY SELECT s.what, s.number
		FROM sortie.settle_2(p_bucket, e.o_left, NULL, e.o_freed,
			NULL, e.o_ended) AS s
		WHERE s.what <> 'w';
	END IF;
END $$;

-- Service time. A server's tick; returns it.
CREATE OR REPLACE FUNCTION sortie.server_start_1(p_host text, p_url text, p_version text,
	OUT server bigint, OUT bucket int, OUT cluster uuid, OUT hmac_key bytea)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	v_bucket int;
BEGIN
	PERFORM pg_advisory_xact_lock(7005);
	SELECT g INTO v_bucket FROM generate_series(0, 10000) AS g
	WHERE NOT EXISTS (SELECT 1 FROM sortie.server s WHERE s.bucket = g)
	ORDER BY g LIMIT 1;
	INSERT INTO sortie.server AS s (server, bucket, host, url, version)
	VALUES (nextval('sortie.server_number'), v_bucket, p_host, p_url,
		p_version)
	RETURNING s.server, s.bucket INTO server, bucket;
	SELECT c.id, c.hmac_key INTO cluster, hmac_key FROM sortie.cluster c;
END $$;

-- As servers call it that want to hear of pilots alone.
CREATE OR REPLACE FUNCTION sortie.expire_1(p_bucket int, p_loss_budget int,
	p_server bigint, p_tick bigint, p_max int)
RETURNS TABLE (pilot bigint, runs int) LANGUAGE sql AS $$
	SELECT e.number, e.runs
	FROM sortie.expire_2(p_bucket, p_loss_budget, p_server, p_tick, p_max)
		AS e
	WHERE e.what = 'p'
$$;

-- Gives up this server's own pilots whose lease lies before p_tick, at most
-- p_max of them. A pilot without runs has 75 ticks more: nothing waits for it,
-- and its parked claim is heard only when it ends. Returns a row 'p' for each
-- with the runs it lost, then those that pilot_leave_2 has.
CREATE OR REPLACE FUNCTION sortie.expire_2(p_bucket int, p_loss_budget int,
	p_server bigint, p_tick bigint, p_max int)
RETURNS TABLE (what "char", number bigint, runs int) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	v_pilots bigint[];
	v_runs int[];
	e record;
BEGIN
	SELECT array_agg(x.pilot), array_agg(x.used_slots)
	INTO v_pilots, v_runs
	FROM (SELECT p.pilot, p.used_slots FROM sortie.pilot_room p
		WHERE p.server = p_server AND p.lease_tick < p_tick
			- CASE WHEN p.used_slots > 0 THEN 0 ELSE 75 END
		ORDER BY p.pilot LIMIT p_max FOR UPDATE) AS x;
	IF v_pilots IS NULL THEN
		RETURN;
	END IF;
	SELECT * INTO e FROM sortie.runs_lose_2(p_bucket, p_loss_budget,
		v_pilots, 'lease expired', false);
	FOR i IN 1 .. cardinality(v_pilots) LOOP
		PERFORM sortie.pilot_gone_1(v_pilots[i], 'lost',
			'lease expired');
		what := 'p'; number := v_pilots[i]; runs := v_runs[i];
		RETURN NEXT;
	END LOOP;
	RETURN QUERY SELECT 'e'::"char", x, 0 FROM unnest(e.o_ended) AS x;
	RETURN QUERY SELECT s.what, s.number, 0
	FROM sortie.settle_2(p_bucket, e.o_left, NULL, e.o_freed, NULL,
		e.o_ended) AS s
	WHERE s.what <> 'w';
END $$;

-- A server's row stood still: this one takes its pilots, each with a full
-- lease, and removes the row, unless it moved after all (p_seen).
CREATE OR REPLACE FUNCTION sortie.adopt_1(p_server bigint, p_lease bigint,
	p_dead bigint, p_seen bigint) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	v_n int;
BEGIN
	PERFORM 1 FROM sortie.server s WHERE s.server = p_dead
		AND s.ticks = p_seen FOR UPDATE;
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	PERFORM 1 FROM sortie.pilot_room p WHERE p.server = p_dead
	ORDER BY p.pilot FOR UPDATE;
	UPDATE sortie.pilot_room p SET server = p_server, lease_tick = p_lease
	WHERE p.server = p_dead;
	GET DIAGNOSTICS v_n = ROW_COUNT;
	DELETE FROM sortie.server s WHERE s.server = p_dead;
	RETURN v_n;
END $$;
