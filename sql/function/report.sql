-- A batch of pilots' reports: starts, ends, lists of live runs.

-- A batch of reports.
--     b_*   one element per report: pilot, lease tick, whether it carries the
--           list of live runs, whether it is drained
--     s_*   starts, e_*  ends (arrays as for runs_end_2), l_*  listed runs;
--           *_rep is the 1-based index of the report. e_files: what the pilot
--           found of the run's inputs and outputs (dataset_found.sql)
-- A pilot stands at most once in a batch.
-- Rows, by `what`:
--     S, E  start, end recorded, now or before (rep, idx = index into s_ or e_)
--     x     stale (rep, run): no longer the pilot's
--     m     a live run that the list misses: as a grant (claim_1's columns)
--     k     kinds of those; c, d, s  orders (rep)
--     u     unknown pilot (rep): text says why
--     w     class `kind` got work again (number = how many jobs)
--     W     limits or gates may have room again: work for anybody
--     f     edges of a graph are left to tell: a duty
--     F     workflow `number` cancels itself: a duty; z  it has ended
CREATE OR REPLACE FUNCTION sortie.report_2(p_bucket int, p_server bigint,
	p_loss_budget int,
	b_pilot bigint[], b_lease bigint[], b_listed bool[], b_drained bool[],
	s_rep int[], s_number bigint[], s_run bigint[], s_ago bigint[],
	e_rep int[], e_number bigint[], e_run bigint[],
	e_state sortie.run_state[], e_reason text[], e_exit int[],
	e_signal int[], e_ago bigint[], e_wall bigint[], e_started bool[],
	e_user bigint[], e_system bigint[], e_rss bigint[],
	e_out_size bigint[], e_err_size bigint[], e_out bytea[],
	e_err bytea[], e_incomplete smallint[], e_meta text[],
	e_files text[],
	l_rep int[], l_number bigint[], l_run bigint[])
RETURNS TABLE (what "char", rep int, idx int, run bigint, number bigint,
	id uuid, attempt int, jobidx int, priority int, kind int, ahead bool,
	name text, owner text, project text, definition text)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
	v_now timestamptz := clock_timestamp();
	v_at tid[];                     -- the pilots' rows, NULL: unknown
	v_unknown int[];
	v_notice int[];
	v_inherited int[];
	v_from bigint[];
	v_done int[];
	v_rest int[];
	v_new int[];
	v_kinds int[];
	-- for settle_2
	v_left int[]; v_came int[]; v_freed int[]; v_taken int[];
	v_ended bigint[];
	v_bounded bool; v_graph bool;   -- what there is to settle
	z_class int; z_came int;
	e record;
	v record;
	v_run sortie.run;
BEGIN
	-- Pilots that were given up and speak again (before any lock).
	FOR v IN SELECT u.pilot, u.lease FROM unnest(b_pilot, b_lease)
			AS u(pilot, lease)
		WHERE (SELECT a.at FROM sortie.pilot_at_1(u.pilot) AS a) IS NULL
		ORDER BY u.pilot
	LOOP
		PERFORM sortie.pilot_revive_1(v.pilot, p_server, v.lease);
	END LOOP;
	-- Looked for as pilot_at_1 does; one query, as in claim_1.
	WITH p AS MATERIALIZED (
		SELECT o.i, x.*
		FROM (SELECT u.* FROM unnest(b_pilot) WITH ORDINALITY
				AS u(pilot, i)
			ORDER BY u.pilot) AS o
		LEFT JOIN LATERAL (
			SELECT r.ctid AS at, r.notice, r.inherited
			FROM sortie.pilot_room r
			WHERE r.pilot BETWEEN o.pilot AND o.pilot
			ORDER BY r.pilot DESC LIMIT 1
			FOR NO KEY UPDATE) AS x ON true)
	SELECT array_agg(p.at), array_agg(p.i) FILTER (WHERE p.at IS NULL),
		array_agg(p.i) FILTER (WHERE p.notice),
		array_agg(p.i) FILTER (WHERE p.inherited)
	INTO v_at, v_unknown, v_notice, v_inherited
	FROM (SELECT p.* FROM p ORDER BY p.i) AS p;
	UPDATE sortie.pilot_room p
	SET server = p_server, lease_tick = u.lease, heard_at = v_now,
		pilot_order = CASE WHEN u.drained THEN 'drain'
			ELSE p.pilot_order END
	FROM unnest(v_at, b_lease, b_drained) AS u(at, lease, drained)
	WHERE p.ctid = u.at;
	IF v_unknown IS NOT NULL THEN
		FOREACH rep IN ARRAY v_unknown LOOP
			PERFORM sortie.pilot_gone_check_1(b_pilot[rep]);
			what := 'u';
			SELECT p.end_state || CASE WHEN p.end_reason <> ''
				THEN ' (' || p.end_reason || ')' ELSE '' END
			INTO name FROM sortie.pilot p
			WHERE p.pilot = b_pilot[rep];
			RETURN NEXT;
		END LOOP;
	END IF;

	IF cardinality(s_run) > 0 THEN
		WITH t AS (
			UPDATE sortie.live l SET running = true,
				started_at = greatest(l.granted_at,
					v_now - s.ago
					* interval '1 millisecond')
			FROM unnest(s_rep, s_number, s_run, s_ago)
				WITH ORDINALITY
				AS s(rep, number, run, ago, ord)
			WHERE l.number = ANY (ARRAY[s.number])
				AND l.run = s.run
				AND l.pilot = ANY (ARRAY[b_pilot[s.rep]])
				AND NOT l.running
			RETURNING s.ord::int AS ord, l.kind_id)
		SELECT array_agg(t.ord), array_agg(t.kind_id)
		INTO v_done, v_kinds FROM t;
		IF v_done IS NOT NULL THEN
			PERFORM sortie.tally_move_1(p_bucket, v_kinds,
				'dispatched', 'running');
			PERFORM sortie.tally_minute_add_1(p_bucket, v_kinds,
				array_fill('started'::text,
					ARRAY[cardinality(v_kinds)]),
				array_fill(1::bigint,
					ARRAY[cardinality(v_kinds)]));
			RETURN QUERY SELECT 'S'::"char", s_rep[o], o, s_run[o],
				s_number[o], NULL::uuid, 0, 0, 0, 0, false,
				NULL::text, NULL::text, NULL::text, NULL::text
			FROM unnest(v_done) AS o;
		END IF;
		v_kinds := NULL;
		-- Starts that changed nothing: repeated, already ended, or of
		-- runs that are not the pilot's.
		FOR v IN SELECT o FROM generate_subscripts(s_run, 1) AS o
			WHERE v_done IS NULL OR NOT o = ANY (v_done)
		LOOP
			CONTINUE WHEN v_at[s_rep[v.o]] IS NULL;
			z_class := NULL;
			IF EXISTS (SELECT 1 FROM sortie.live l
				WHERE l.number = s_number[v.o]
				AND l.run = s_run[v.o]
				AND l.pilot = b_pilot[s_rep[v.o]])
			OR EXISTS (SELECT 1 FROM sortie.run r
				WHERE r.number = s_number[v.o]
				AND r.run = s_run[v.o] AND r.state <> 'lost')
			THEN
				what := 'S';
			ELSE
				SELECT * INTO z_class, z_came
				FROM sortie.run_revive_1(p_bucket,
					b_pilot[s_rep[v.o]], s_number[v.o],
					s_run[v.o]);
				what := CASE WHEN z_class IS NULL THEN 'x'
					ELSE 'S' END;
			END IF;
			IF what = 'x' THEN
				PERFORM sortie.refused_1(b_pilot[s_rep[v.o]],
					s_number[v.o], s_run[v.o], 'start');
			ELSIF z_class IS NOT NULL THEN
				v_taken := v_taken || z_class;
				IF z_came IS NOT NULL THEN
					v_came := v_came || z_came;
				END IF;
				UPDATE sortie.live l SET running = true,
					started_at = v_now
				WHERE l.number = s_number[v.o]
					AND NOT l.running;
				IF FOUND THEN
					PERFORM sortie.tally_add_1(p_bucket,
						ARRAY[l.kind_id, l.kind_id],
						ARRAY['dispatched', 'running']
						::sortie.job_state[],
						ARRAY[-1, 1]::bigint[])
					FROM sortie.live l
					WHERE l.number = s_number[v.o];
				END IF;
			END IF;
			rep := s_rep[v.o]; idx := v.o; run := s_run[v.o];
			number := s_number[v.o];
			RETURN NEXT;
		END LOOP;
	END IF;

	IF cardinality(e_run) > 0 THEN
		SELECT array_agg(b_pilot[r] ORDER BY o) INTO v_from
		FROM unnest(e_rep) WITH ORDINALITY AS u(r, o);
		SELECT x.o_done, x.o_done, x.o_left, x.o_freed, x.o_ended
		INTO v_done, v_new, v_left, v_freed, v_ended
		FROM sortie.runs_end_2(p_bucket, p_loss_budget, v_from,
			e_number, e_run, e_state, e_reason, e_exit, e_signal,
			e_ago, e_wall, e_started, e_user, e_system, e_rss,
			e_out_size, e_err_size, e_out, e_err, e_incomplete,
			e_meta) AS x;
		IF cardinality(v_done) < cardinality(e_run) THEN
			-- Given up and not taken by anybody: they count.
			v_rest := '{}';
			FOR v IN SELECT o FROM generate_subscripts(e_run, 1)
				AS o WHERE NOT o = ANY (v_done)
			LOOP
				CONTINUE WHEN v_at[e_rep[v.o]] IS NULL;
				SELECT * INTO z_class, z_came
				FROM sortie.run_revive_1(p_bucket,
					v_from[v.o], e_number[v.o],
					e_run[v.o]);
				CONTINUE WHEN z_class IS NULL;
				v_rest := v_rest || v.o;
				v_taken := v_taken || z_class;
				IF z_came IS NOT NULL THEN
					v_came := v_came || z_came;
				END IF;
			END LOOP;
			IF cardinality(v_rest) > 0 THEN
				SELECT y.* INTO e FROM (SELECT sortie.runs_end_2(
					p_bucket, p_loss_budget,
					array_agg(v_from[o] ORDER BY o),
					array_agg(e_number[o] ORDER BY o),
					array_agg(e_run[o] ORDER BY o),
					array_agg(e_state[o] ORDER BY o),
					array_agg(e_reason[o] ORDER BY o),
					array_agg(e_exit[o] ORDER BY o),
					array_agg(e_signal[o] ORDER BY o),
					array_agg(e_ago[o] ORDER BY o),
					array_agg(e_wall[o] ORDER BY o),
					array_agg(e_started[o] ORDER BY o),
					array_agg(e_user[o] ORDER BY o),
					array_agg(e_system[o] ORDER BY o),
					array_agg(e_rss[o] ORDER BY o),
					array_agg(e_out_size[o] ORDER BY o),
					array_agg(e_err_size[o] ORDER BY o),
					array_agg(e_out[o] ORDER BY o),
					array_agg(e_err[o] ORDER BY o),
					array_agg(e_incomplete[o] ORDER BY o),
					array_agg(e_meta[o] ORDER BY o)) AS f
					FROM unnest(v_rest) AS o) AS x,
					LATERAL (SELECT (x.f).*) AS y;
				v_done := v_done || v_rest;
				v_left := v_left || e.o_left;
				v_freed := v_freed || e.o_freed;
				v_ended := v_ended || e.o_ended;
			END IF;
			v_new := v_done;
			FOR v IN SELECT o FROM generate_subscripts(e_run, 1)
				AS o WHERE NOT o = ANY (v_done)
			LOOP
				CONTINUE WHEN v_at[e_rep[v.o]] IS NULL;
				SELECT * INTO v_run FROM sortie.run r
				WHERE r.number = e_number[v.o]
					AND r.run = e_run[v.o];
				IF FOUND AND v_run.state <> 'lost' THEN
					v_done := v_done || v.o;
				ELSE
					what := 'x'; rep := e_rep[v.o];
					idx := v.o; run := e_run[v.o];
					number := e_number[v.o];
					RETURN NEXT;
					PERFORM sortie.refused_1(v_from[v.o],
						number, run, 'end');
				END IF;
			END LOOP;
		END IF;
		IF array_remove(e_files, NULL) <> '{}' THEN
			PERFORM sortie.datasets_found_1(
				array_agg(e_number[o]), array_agg(e_run[o]),
				array_agg(e_state[o]), array_agg(e_files[o]))
			FROM unnest(v_new) AS o WHERE e_files[o] IS NOT NULL;
		END IF;
		RETURN QUERY SELECT 'E'::"char", e_rep[o], o, e_run[o],
			e_number[o], NULL::uuid, 0, 0, 0, 0, false, NULL::text,
			NULL::text, NULL::text, NULL::text
		FROM unnest(v_done) AS o;
		-- Which classes have work again, for waking.
		IF array_remove(e_state, 'finished') <> '{}' THEN
			RETURN QUERY SELECT 'w'::"char", 0, 0, 0::bigint,
				count(*), NULL::uuid, 0, 0, 0, q.class_id,
				false, NULL::text, NULL::text, NULL::text,
				NULL::text
			FROM unnest(v_done) AS o
			JOIN sortie.queue q ON q.number = e_number[o]
			WHERE e_state[o] <> 'finished'
			GROUP BY q.class_id;
		END IF;
	END IF;

	-- The first report of a successor has told all that is left of its
	-- predecessor: the other runs died with it.
	IF v_inherited IS NOT NULL THEN
		SELECT y.* INTO e FROM (SELECT array_agg(b_pilot[i]) AS pilots
			FROM unnest(v_inherited) AS i) AS x,
			sortie.runs_lose_2(p_bucket, p_loss_budget, x.pilots,
				'pilot died', true) AS y;
		v_left := v_left || e.o_left;
		v_freed := v_freed || e.o_freed;
		v_ended := v_ended || e.o_ended;
		UPDATE sortie.pilot_room p SET inherited = false
		FROM unnest(v_inherited) AS i WHERE p.pilot = b_pilot[i];
	END IF;

	FOR i IN 1 .. cardinality(b_pilot) LOOP
		CONTINUE WHEN v_at[i] IS NULL OR NOT b_listed[i];
		-- Listed, but not the pilot's.
		FOR v_run.number, v_run.run IN
			SELECT u.number, u.run
			FROM unnest(l_rep, l_number, l_run)
				AS u(rep, number, run)
			WHERE u.rep = i AND NOT EXISTS (
				SELECT 1 FROM sortie.live l
				WHERE l.number = u.number AND l.run = u.run
				AND l.pilot = b_pilot[i])
		LOOP
			SELECT * INTO z_class, z_came
			FROM sortie.run_revive_1(p_bucket, b_pilot[i],
				v_run.number, v_run.run);
			IF z_class IS NULL THEN
				what := 'x'; rep := i; idx := 0;
				run := v_run.run; number := v_run.number;
				RETURN NEXT;
			ELSE
				v_taken := v_taken || z_class;
				IF z_came IS NOT NULL THEN
					v_came := v_came || z_came;
				END IF;
			END IF;
		END LOOP;
		-- The pilot's, but not listed.
		FOR v_run.number IN
			SELECT l.number FROM sortie.live l
			WHERE l.pilot = b_pilot[i] AND NOT EXISTS (
				SELECT 1 FROM unnest(l_rep, l_number, l_run)
					AS u(rep, number, run)
				WHERE u.rep = i AND u.number = l.number
				AND u.run = l.run)
		LOOP
			SELECT 'm', i, 0, l.run, l.number, j.id, l.attempt,
				j.idx, ~l.place, l.kind_id, l.ahead, j.name,
				j.definition
			INTO what, rep, idx, run, number, id, attempt, jobidx,
				priority, kind, ahead, name, definition
			FROM sortie.live l
			JOIN sortie.job j ON j.number = l.number
			WHERE l.number = v_run.number;
			RETURN NEXT;
			v_kinds := v_kinds || kind;
		END LOOP;
	END LOOP;
	IF v_kinds IS NOT NULL THEN
		RETURN QUERY
		SELECT 'k'::"char", 0, 0, 0::bigint, k.kind_id::bigint,
			NULL::uuid, 0, 0, 0, 0, false, k.jobtype, o.name,
			p.name, NULL::text
		FROM (SELECT DISTINCT x FROM unnest(v_kinds) AS x) AS u
		JOIN sortie.kind k ON k.kind_id = u.x
		JOIN sortie.owner o ON o.owner_id = k.owner_id
		JOIN sortie.project p ON p.project_id = k.project_id;
	END IF;
	IF v_notice IS NOT NULL THEN
		RETURN QUERY SELECT w.what, w.req, 0, w.run, w.number,
			NULL::uuid, 0, 0, 0, 0, false, NULL::text, NULL::text,
			NULL::text, NULL::text
		FROM unnest(v_notice) AS u(i),
			sortie.orders_1(b_pilot[u.i], u.i) AS w;
		UPDATE sortie.pilot_room p SET notice = false
		FROM unnest(v_notice) AS u(i)
		WHERE p.pilot = b_pilot[u.i] AND p.pilot_order IS NULL
			AND NOT EXISTS (SELECT 1 FROM sortie.live l
				WHERE l.pilot = p.pilot AND l.cancelling);
	END IF;
	IF v_freed IS NOT NULL OR v_taken IS NOT NULL THEN
		SELECT EXISTS (SELECT 1 FROM sortie.lim)
			OR EXISTS (SELECT 1 FROM sortie.project p
				WHERE p.max_running IS NOT NULL),
			EXISTS (SELECT 1 FROM unnest(v_ended) AS u(number)
				JOIN sortie.node s
				ON s.number = ANY (ARRAY[u.number]))
		INTO v_bounded, v_graph;
		IF v_bounded THEN
			what := 'W'; rep := 0; idx := 0; run := 0; number := 0;
			kind := 0;
			RETURN NEXT;
		END IF;
		-- Else there is nothing to settle.
		IF v_bounded OR v_graph THEN
			RETURN QUERY SELECT s.what, 0, 0, 0::bigint, CASE s.what
				WHEN 'w' THEN s.n ELSE s.number END, NULL::uuid,
				0, 0, 0, CASE s.what WHEN 'w'
				THEN s.number::int ELSE 0 END, false,
				NULL::text, NULL::text, NULL::text, NULL::text
			FROM sortie.settle_2(p_bucket, v_left, v_came, v_freed,
				v_taken, v_ended) AS s;
		END IF;
	END IF;
END $$;

-- As servers call it that know nothing of files.
CREATE OR REPLACE FUNCTION sortie.report_1(p_bucket int, p_server bigint,
	p_loss_budget int,
	b_pilot bigint[], b_lease bigint[], b_listed bool[], b_drained bool[],
	s_rep int[], s_number bigint[], s_run bigint[], s_ago bigint[],
	e_rep int[], e_number bigint[], e_run bigint[],
	e_state sortie.run_state[], e_reason text[], e_exit int[],
	e_signal int[], e_ago bigint[], e_wall bigint[], e_started bool[],
	e_user bigint[], e_system bigint[], e_rss bigint[],
	e_out_size bigint[], e_err_size bigint[], e_out bytea[],
	e_err bytea[], e_incomplete smallint[], e_meta text[],
	l_rep int[], l_number bigint[], l_run bigint[])
RETURNS TABLE (what "char", rep int, idx int, run bigint, number bigint,
	id uuid, attempt int, jobidx int, priority int, kind int, ahead bool,
	name text, owner text, project text, definition text)
LANGUAGE sql AS $$
	SELECT * FROM sortie.report_2(p_bucket, p_server, p_loss_budget,
		b_pilot, b_lease, b_listed, b_drained, s_rep, s_number, s_run,
		s_ago, e_rep, e_number, e_run, e_state, e_reason, e_exit,
		e_signal, e_ago, e_wall, e_started, e_user, e_system, e_rss,
		e_out_size, e_err_size, e_out, e_err, e_incomplete, e_meta,
		array_fill(NULL::text, ARRAY[cardinality(e_run)]),
		l_rep, l_number, l_run)
$$;

-- The record of a message that changed nothing (I3).
CREATE OR REPLACE FUNCTION sortie.refused_1(p_pilot bigint, p_number bigint, p_run bigint,
	p_what text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO sortie.event (kind, job, pilot, text, detail)
	VALUES ('refused', p_number, p_pilot, p_what
		|| ' of a run that is no longer the pilot''s',
		json_build_object('run', lpad(to_hex(p_run), 16, '0')))
$$;
