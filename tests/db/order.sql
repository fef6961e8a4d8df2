-- I9, tried against a model that knows nothing of classes, depths and rounds:
-- every queued job in order, for each the first request that has room.
CREATE FUNCTION t.fits(p_pilot bigint, p_class int) RETURNS bool LANGUAGE sql
AS $$
	SELECT (c.site = '' OR c.site = p.site)
		AND (c.pools = '{}' OR c.pools && p.pools)
		AND (p.accept = '{}' OR c.jobtype = ANY (p.accept))
	FROM sortie.pilot p, sortie.class c
	WHERE p.pilot = p_pilot AND c.class_id = p_class
$$;

-- What the model grants: "job>request" in order; ahead ones end with "a".
CREATE FUNCTION t.model(r_pilot bigint[], r_slots int[], r_cores int[],
	r_memory bigint[], r_ahead int[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n int := cardinality(r_pilot);
	f_slots int[]; f_cores int[]; f_memory bigint[]; f_ahead int[];
	f_life bigint[];
	p sortie.pilot_room; p_all sortie.pilot_room[]; q record;
	l_room int[] := '{}';
	v_out text := '';
	v_ok bool; v_now bool;
BEGIN
	FOR j IN 1 .. n LOOP
		SELECT * INTO p FROM sortie.pilot_room WHERE pilot = r_pilot[j];
		p_all[j] := p;
		f_slots[j] := greatest(0, least(r_slots[j], p.slots
			- p.used_slots));
		f_cores[j] := least(r_cores[j], p.cores - p.used_cores);
		f_memory[j] := least(sortie.memory_1(r_memory[j]),
			p.memory - p.used_memory);
		f_ahead[j] := greatest(0, least(r_ahead[j], p.slots
			+ r_ahead[j] - p.used_slots - f_slots[j]));
		f_life[j] := coalesce(extract(epoch FROM p.ends_at
			- clock_timestamp())::bigint, 9000000000000000);
	END LOOP;
	SELECT array_agg(x.room ORDER BY x.i) INTO l_room
	FROM (SELECT g AS i, coalesce(l.capacity - l.used, 1000000) AS room
		FROM generate_series(1, (SELECT max(limit_id) FROM sortie.lim))
			AS g LEFT JOIN sortie.lim l ON l.limit_id = g) AS x;
	FOR q IN SELECT w.place, w.turn, w.number, c.cores, c.memory, c.life_s,
			c.limit_ids, c.limit_counts, x.fits
		FROM sortie.queue w
		JOIN sortie.class c ON c.class_id = w.class_id
		JOIN (SELECT k.class_id, array_agg(t.fits(u.pilot, k.class_id)
				ORDER BY u.j) AS fits
			FROM sortie.class k, unnest(r_pilot) WITH ORDINALITY
				AS u(pilot, j)
			GROUP BY k.class_id) AS x ON x.class_id = w.class_id
		ORDER BY w.place, w.turn, w.number
	LOOP
		v_ok := true;
		FOR i IN 1 .. cardinality(q.limit_ids) LOOP
			v_ok := v_ok AND l_room[q.limit_ids[i]]
				>= q.limit_counts[i];
		END LOOP;
		CONTINUE WHEN NOT v_ok;
		FOR j IN 1 .. n LOOP
			CONTINUE WHEN NOT q.fits[j] OR q.life_s > f_life[j];
			p := p_all[j];
			v_now := f_slots[j] > 0 AND f_cores[j] >= q.cores
				AND f_memory[j] >= q.memory;
			IF (v_now OR f_ahead[j] > 0 AND q.cores = 1
				AND q.memory = 0 AND q.limit_ids = '{}')
			AND (p.reserved_number IS NULL
				OR (q.place, q.turn, q.number)
				<= (p.reserved_place, p.reserved_turn,
				p.reserved_number))
			THEN
				IF v_now THEN
					f_slots[j] := f_slots[j] - 1;
					f_cores[j] := f_cores[j] - q.cores;
					f_memory[j] := f_memory[j] - q.memory;
				ELSE
					f_ahead[j] := f_ahead[j] - 1;
				END IF;
				FOR i IN 1 .. cardinality(q.limit_ids) LOOP
					l_room[q.limit_ids[i]] :=
						l_room[q.limit_ids[i]]
						- q.limit_counts[i];
				END LOOP;
				v_out := v_out || q.number || '>' || j
					|| CASE WHEN v_now THEN '' ELSE 'a' END
					|| ' ';
				EXIT;
			END IF;
		END LOOP;
	END LOOP;
	RETURN v_out;
END $$;

CREATE FUNCTION t.pick(n int) RETURNS int LANGUAGE sql AS $$
	SELECT floor(random() * n)::int
$$;

-- What a class may ask for, one of many; an hour is the unit of lives.
CREATE FUNCTION t.random_class() RETURNS int LANGUAGE sql AS $$
	SELECT class_id FROM sortie.class_ensure_1(1, jsonb_strip_nulls(
		jsonb_build_object(
		'project', 'p' || t.pick(3),
		'jobtype', 'j' || t.pick(5),
		'site', CASE WHEN t.pick(6) = 0 THEN 's' || t.pick(3) END,
		'pools', CASE WHEN t.pick(6) = 0 THEN
			jsonb_build_array('pool' || t.pick(3)) END,
		'cores', CASE WHEN t.pick(4) = 0 THEN 1 + t.pick(20) END,
		'memory', CASE WHEN t.pick(4) = 0 THEN 100 * t.pick(8) END,
		'limits', CASE t.pick(6)
			WHEN 0 THEN '{"m": 1}'::jsonb
			WHEN 1 THEN '{"k": 2, "m": 1}' END)),
		CASE WHEN t.pick(3) = 0 THEN 3600 * t.pick(4) ELSE 0 END)
$$;

-- Claims of random pilots on a random queue, p_rounds times. A row for each
-- round in which model and claim_1 differ. Jobs come a few at a time from 40
-- classes in any order, so that the queues of classes interleave job by job;
-- most runs end between rounds, so that each has some dozen grants.
CREATE FUNCTION t.order_rounds(p_seed double precision, p_rounds int)
RETURNS TABLE (round int, model text, got text) LANGUAGE plpgsql AS $$
DECLARE
	r_pilot bigint[]; r_slots int[]; r_cores int[]; r_memory bigint[];
	r_ahead int[]; v_classes int[];
	v_n int;
BEGIN
	PERFORM setseed(p_seed);
	PERFORM sortie.limit_set_1('m', 3 + t.pick(20));
	PERFORM sortie.limit_set_1('k', t.pick(20));
	FOR i IN 1 .. 24 LOOP
		PERFORM t.pilot(1 + t.pick(30), 1 + t.pick(40),
			100 * t.pick(20), 's' || t.pick(2),
			ARRAY['pool' || t.pick(2)]);
	END LOOP;
	UPDATE sortie.pilot_room SET ends_at = clock_timestamp()
		+ interval '1 hour' * t.pick(4) + interval '30 min'
	WHERE pilot % 2 = 0;
	FOR i IN 1 .. 40 LOOP
		v_classes[i] := t.random_class();
	END LOOP;
	FOR i IN 1 .. p_rounds LOOP
		round := i;
		FOR k IN 1 .. 10 + t.pick(30) LOOP
			PERFORM t.submit_to(1, 1 + t.pick(3),
				v_classes[1 + t.pick(40)],
				t.pick(3) * t.pick(3), '{}', false, NULL);
		END LOOP;
		IF t.pick(3) = 0 THEN
			UPDATE sortie.job SET submitted_at = submitted_at
				- interval '1 hour';
			PERFORM sortie.reserve_1(60);
		END IF;
		SELECT array_agg(x.pilot), array_agg(t.pick(30)),
			array_agg(t.pick(60)), array_agg(100::bigint
			* t.pick(20)), array_agg(t.pick(3) * t.pick(4))
		INTO r_pilot, r_slots, r_cores, r_memory, r_ahead
		FROM (SELECT p.pilot FROM sortie.pilot_room p
			ORDER BY random() LIMIT 1 + t.pick(10)) AS x;
		v_n := cardinality(r_pilot);
		model := t.model(r_pilot, r_slots, r_cores, r_memory, r_ahead);
		SELECT coalesce(string_agg(s.number || '>' || s.req
			|| CASE WHEN s.ahead THEN 'a' ELSE '' END || ' ', ''
			ORDER BY s.place, s.turn, s.number), '')
		INTO got
		FROM (SELECT c.number, c.req, c.ahead, l.place, l.turn
			FROM (SELECT * FROM sortie.claim_1(1, 1, 1, r_pilot,
				array_fill(i::bigint, ARRAY[v_n]), r_slots,
				r_cores, r_memory, r_ahead, array_fill(
				1000::bigint, ARRAY[v_n])) OFFSET 0) AS c,
				LATERAL (SELECT * FROM t.live_of(c.number)) AS l
			WHERE c.what = 'g') AS s;
		IF model <> got THEN
			RETURN NEXT;
		END IF;
		-- Most runs end, so that there is room again.
		PERFORM t.ends(l.pilot, l.number, l.run, 'finished')
		FROM (SELECT * FROM sortie.live WHERE random() < 0.8) AS l;
	END LOOP;
END $$;

-- Volatile: sees what the same statement's claim has made.
CREATE FUNCTION t.live_of(p_number bigint) RETURNS sortie.live
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	l sortie.live;
BEGIN
	SELECT * INTO l FROM sortie.live WHERE number = p_number;
	RETURN l;
END $$;
