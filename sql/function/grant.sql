-- Grants.

-- One batch of claims, the only place where runs are made.  A request is one
-- pilot's; a pilot stands at most once in a batch.
--     r_pilot, r_request     who asks, and the number of the asking
--     r_slots, r_cores, r_memory   what the pilot says is free
--     r_ahead                one-core jobs it would take beyond that
--     r_lease                the service tick its lease then lasts to
--     p_seed                 64 random bits: run ids are made of them
-- Rows, by `what`:
--     g  a grant: req, run, number, id, attempt, idx, priority, kind, ahead,
--        name, definition
--     c  order: cancel the run (req, run, number)
--     d, s  order: drain, stop (req)
--     k  a kind that grants of this answer name: number = kind_id,
--        name = jobtype, owner, project
--     u  the pilot has ended or never was (req)
--     o  an older request than the last one (req): nothing is granted
--     p  the pilot's profile (number), the version of what fits (run), and
--        whether no job that fits the profile is left in the queue (ahead; false
--        when that was not looked at), for whoever parks claims (req)
-- Order I9: the queues of all classes that fit a requesting pilot, merged by
-- (place, turn, number); each job in order goes to the first request, in the
-- order given, that has room for it.  Classes are put in order of their heads,
-- so what comes before the head of class w + 1 is in the first w of them.  A
-- round reads these, the window, that far, and the next one has a wider window.
-- Where a class has more in the window than was read, the round ends there and
-- the same window is read on, that class deeper; so no job is passed over.
CREATE OR REPLACE FUNCTION sortie.claim_1(p_bucket int, p_server bigint,
	p_seed bigint, r_pilot bigint[], r_request bigint[], r_slots int[],
	r_cores int[], r_memory bigint[], r_ahead int[], r_lease bigint[])
RETURNS TABLE (what "char", req int, run bigint, number bigint, id uuid,
	attempt int, idx int, priority int, kind int, ahead bool, name text,
	owner text, project text, definition text)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_variable
DECLARE
	v_now timestamptz := clock_timestamp();
	n int := cardinality(r_pilot);
	-- per request: the pilot's row (NULL: none, or not to be changed), its
	-- profile, room, life, reservation, what it is granted
	u_at tid[]; u_profile int[];
	f_slots int[]; f_cores int[]; f_memory bigint[]; f_ahead int[];
	f_life bigint[];
	s_place int[]; s_turn bigint[]; s_number bigint[];
	u_slots int[]; u_cores int[]; u_memory bigint[];
	-- requests of unknown pilots, old ones, those answered before, those
	-- whose pilots have orders
	v_unknown int[]; v_old int[]; v_replay int[]; v_notice int[];
	-- sets of requests, a bit each: with room left, of each profile
	v_none bit varying;
	v_room bit varying;
	p_id int[]; p_bits bit varying[];
	-- per class in order of heads: what its jobs need, which requests may
	-- still take them (NULL: not looked at), the last one seen, how many
	-- were seen in this round, how deep it is read (0: no more)
	c_id int[]; c_cores int[]; c_memory bigint[]; c_life bigint[];
	c_limited bool[];
	c_bits bit varying[];
	c_place int[]; c_turn bigint[]; c_number bigint[]; c_noted bigint[];
	c_seen int[]; c_depth int[]; c_n int := 0;
	v_window int;                   -- so many classes are read
	v_depth int;                    -- so deep at least
	-- limits by id
	l_room int[]; l_used int[];
	v_ids int[]; v_counts int[];
	-- grants
	g_class int[]; g_place int[]; g_turn bigint[]; g_number bigint[];
	g_req int[]; g_ahead bool[]; g_cls int[]; g_n int := 0;
	v_open int;                     -- slots and aheads left in the batch
	v_more bool;
	v record; q record;
	i int; j int; c int;
	-- of granted jobs, by request and class
	v_kinds int[]; v_granted bigint[]; v_taken bigint[];
	v_turn bigint;
	v_empty int[];                  -- classes that have no job at all
	v_note int[];                   -- whose heads are to be noted
	v_left bool := true;            -- others may have
	v_fit bigint;
BEGIN
	PERFORM pg_advisory_xact_lock(7000);
	SELECT f.last_value INTO v_fit FROM sortie.fit_version f;

	-- Pilots that were given up and speak again (before any row lock).
	FOR v IN SELECT u.pilot, u.lease FROM unnest(r_pilot, r_lease)
			AS u(pilot, lease)
		WHERE (SELECT a.at FROM sortie.pilot_at_1(u.pilot) AS a) IS NULL
		ORDER BY u.pilot
	LOOP
		PERFORM sortie.pilot_revive_1(v.pilot, p_server, v.lease);
	END LOOP;

	-- The pilots, in order of id. (A new statement: it sees what the holder
	-- of the lane before us has committed.) Looked for as pilot_at_1 does. A
	-- parked claim comes again with its number; only one that was granted
	-- something is answered from there. One query, for each expression of
	-- the language around it is made ready anew in each transaction.
	WITH p AS MATERIALIZED (
		SELECT u.*, p.*, CASE WHEN p.at IS NULL THEN 'unknown'
			WHEN u.asked < p.request THEN 'old'
			WHEN u.asked = p.request AND EXISTS (
				SELECT 1 FROM sortie.live l
				WHERE l.pilot = p.pilot
				AND l.request = p.request) THEN 'replay'
			WHEN p.pilot_order IS NULL THEN 'asks'
			ELSE 'ordered' END AS fate
		FROM (SELECT o.* FROM unnest(r_pilot, r_request, r_slots,
				r_cores, r_memory, r_ahead) WITH ORDINALITY
				AS o(of_pilot, asked, free_slots, free_cores,
				free_memory, more, i)
			ORDER BY o.of_pilot) AS u
		LEFT JOIN LATERAL (
			SELECT x.ctid AS at, x.* FROM sortie.pilot_room x
			WHERE x.pilot BETWEEN u.of_pilot AND u.of_pilot
			ORDER BY x.pilot DESC LIMIT 1
			FOR NO KEY UPDATE) AS p ON true),
	f AS (
		SELECT p.*, greatest(0, least(p.free_slots, p.slots
				- p.used_slots)) AS f_slots,
			CASE WHEN p.fate = 'asks' THEN 1 ELSE 0 END AS asks
		FROM p)
	SELECT array_agg(CASE WHEN f.fate <> 'old' THEN f.at END),
		array_agg(f.profile_id), array_agg(f.asks * f.f_slots),
		array_agg(greatest(0, least(f.free_cores,
			f.cores - f.used_cores))),
		array_agg(greatest(0, least(sortie.memory_1(f.free_memory),
			f.memory - f.used_memory))),
		array_agg(f.asks * f.f_ahead),
		array_agg(CASE WHEN f.ends_at IS NULL THEN 9000000000000000
			ELSE extract(epoch FROM f.ends_at - v_now)::bigint END),
		array_agg(f.reserved_place), array_agg(f.reserved_turn),
		array_agg(f.reserved_number), array_agg(0), array_agg(0),
		array_agg(0::bigint), sum(f.asks * (f.f_slots + f.f_ahead)),
		array_agg(DISTINCT f.profile_id)
			FILTER (WHERE f.asks * (f.f_slots + f.f_ahead) > 0),
		array_agg(f.i) FILTER (WHERE f.fate = 'unknown'),
		array_agg(f.i) FILTER (WHERE f.fate = 'old'),
		array_agg(f.i) FILTER (WHERE f.fate = 'replay'),
		array_agg(f.i) FILTER (WHERE f.notice)
	INTO u_at, u_profile, f_slots, f_cores, f_memory, f_ahead, f_life,
		s_place, s_turn, s_number, u_slots, u_cores, u_memory, v_open,
		p_id, v_unknown, v_old, v_replay, v_notice
	FROM (SELECT f.*, greatest(0, least(f.more, f.slots + f.more
			- f.used_slots - f.f_slots)) AS f_ahead
		FROM f ORDER BY f.i) AS f;
	IF v_old IS NOT NULL THEN
		FOREACH i IN ARRAY v_old LOOP
			what := 'o'; req := i;
			RETURN NEXT;
		END LOOP;
	END IF;
	IF v_unknown IS NOT NULL THEN
		FOREACH i IN ARRAY v_unknown LOOP
			PERFORM sortie.pilot_gone_check_1(r_pilot[i]);
			what := 'u'; req := i;
			RETURN NEXT;
		END LOOP;
	END IF;

	-- Classes in order of heads; those without a job come last.
	IF v_open > 0 THEN
		SELECT array_agg(s.class_id), array_agg(s.cores),
			array_agg(s.memory), array_agg(s.life_s),
			array_agg(s.limited), array_agg(s.place),
			array_agg(s.turn), array_agg(s.number - 1),
			array_agg(coalesce(s.noted, 0)), count(s.number)
		INTO c_id, c_cores, c_memory, c_life, c_limited, c_place,
			c_turn, c_number, c_noted, c_n
		FROM (SELECT k.class_id, k.cores, k.memory, k.life_s,
				k.limit_ids <> '{}' AS limited, h.*
			FROM (SELECT DISTINCT m.class_id
				FROM sortie.class_ready m) AS r
			JOIN sortie.class k ON k.class_id = r.class_id
			LEFT JOIN LATERAL sortie.queue_head_1(r.class_id)
				AS h ON true
			WHERE p_id && k.profiles
			ORDER BY h.place, h.turn, h.number) AS s;
		v_empty := c_id[c_n + 1 : c_n + 100];
	END IF;
	-- Of one class alone, as long as nothing but room counts, all that comes
	-- next is known at once.
	IF c_n = 1 AND NOT c_limited[1] AND cardinality(p_id) = 1
		AND array_remove(s_number, NULL) = '{}' THEN
		g_req := '{}';
		FOR i IN 1 .. n LOOP
			CONTINUE WHEN f_slots[i] + f_ahead[i] = 0
				OR c_life[1] > f_life[i];
			j := least(f_slots[i], f_cores[i] / c_cores[1],
				f_memory[i] / nullif(c_memory[1], 0));
			g_req := g_req || array_fill(i, ARRAY[j]);
			g_ahead := g_ahead || array_fill(false, ARRAY[j]);
			IF c_cores[1] = 1 AND c_memory[1] = 0 THEN
				g_req := g_req || array_fill(i,
					ARRAY[f_ahead[i]]);
				g_ahead := g_ahead || array_fill(true,
					ARRAY[f_ahead[i]]);
			END IF;
		END LOOP;
		SELECT array_agg(h.place), array_agg(h.turn),
			array_agg(h.number), count(*)
		INTO g_place, g_turn, g_number, g_n
		FROM (SELECT w.place, w.turn, w.number FROM sortie.queue w
			WHERE w.class_id = c_id[1]
			AND (w.place, w.turn, w.number)
				> (c_place[1], c_turn[1], c_number[1])
			ORDER BY w.place, w.turn, w.number
			LIMIT cardinality(g_req)) AS h;
		c_place[1] := g_place[g_n];
		c_turn[1] := g_turn[g_n];
		c_number[1] := g_number[g_n];
		g_class := array_fill(c_id[1], ARRAY[g_n]);
		g_cls := array_fill(1, ARRAY[g_n]);
		g_req := g_req[:g_n];
		g_ahead := g_ahead[:g_n];
		v_open := 0;
	ELSIF c_n > 0 THEN
		-- Behind the last class: the end of all queues.
		c_place[c_n + 1] := 2147483647;
		c_turn[c_n + 1] := 9223372036854775807;
		c_number[c_n + 1] := 9223372036854775807;
		c_bits := array_fill(NULL::bit varying, ARRAY[c_n]);
		c_depth := array_fill(4, ARRAY[c_n]);
		v_window := 1;
		IF true = ANY (c_limited) THEN
			FOR v IN SELECT l.limit_id, l.capacity - l.used AS room
				FROM sortie.lim l WHERE l.limit_id IN (
				SELECT unnest(k.limit_ids) FROM sortie.class k
				WHERE k.class_id = ANY (c_id))
			LOOP
				l_room[v.limit_id] := coalesce(v.room,
					2147483647);
			END LOOP;
		END IF;
		v_none := repeat('0', n)::bit varying;
		v_room := v_none;
		p_bits := array_fill(v_none, ARRAY[cardinality(p_id)]);
		FOR i IN 1 .. n LOOP
			CONTINUE WHEN f_slots[i] + f_ahead[i] = 0;
			v_room := set_bit(v_room, i - 1, 1);
			j := array_position(p_id, u_profile[i]);
			p_bits[j] := set_bit(p_bits[j], i - 1, 1);
		END LOOP;
	END IF;
	WHILE c_n > 0 AND v_open > 0 LOOP
		-- A class alone may have all that comes next, one of many has
		-- little of it.
		v_more := false;
		v_depth := least(v_open, 2 * v_open / v_window + 4);
		c_seen := array_fill(0, ARRAY[v_window]);
		FOR q IN
			SELECT k.ord::int AS c, h.place, h.turn, h.number
			FROM unnest(c_id[:v_window], c_place[:v_window],
				c_turn[:v_window], c_number[:v_window],
				c_depth[:v_window]) WITH ORDINALITY
				AS k(id, place, turn, number, depth, ord)
			CROSS JOIN LATERAL (
				SELECT w.place, w.turn, w.number
				FROM sortie.queue w
				WHERE w.class_id = k.id
				AND (w.place, w.turn, w.number)
					> (k.place, k.turn, k.number)
				AND (w.place, w.turn, w.number)
					<= (c_place[v_window + 1],
					c_turn[v_window + 1],
					c_number[v_window + 1])
				ORDER BY w.place, w.turn, w.number
				LIMIT greatest(k.depth, v_depth)) AS h
			WHERE k.depth > 0
			ORDER BY h.place, h.turn, h.number
		LOOP
			c := q.c;
			CONTINUE WHEN c_depth[c] = 0;
			c_seen[c] := c_seen[c] + 1;
			c_place[c] := q.place;
			c_turn[c] := q.turn;
			c_number[c] := q.number;
			IF c_bits[c] IS NULL THEN
				c_bits[c] := (SELECT coalesce(bit_or(p.bits),
					v_none)
					FROM sortie.class k, unnest(p_id,
					p_bits) AS p(id, bits)
					WHERE k.class_id = c_id[c]
					AND p.id = ANY (k.profiles));
			END IF;
			-- The first request that has room. Room only shrinks
			-- here: one that has none now is not asked again.
			LOOP
				j := position(B'1' IN c_bits[c] & v_room);
				EXIT WHEN j = 0 OR (f_slots[j] > 0
					AND f_cores[j] >= c_cores[c]
					AND f_memory[j] >= c_memory[c]
					OR f_ahead[j] > 0 AND c_cores[c] = 1
					AND c_memory[c] = 0
					AND NOT c_limited[c])
				AND c_life[c] <= f_life[j]
				AND (s_number[j] IS NULL
					OR (q.place, q.turn, q.number)
					<= (s_place[j], s_turn[j],
					s_number[j]));
				c_bits[c] := set_bit(c_bits[c], j - 1, 0);
			END LOOP;
			IF j > 0 AND c_limited[c] THEN
				SELECT k.limit_ids, k.limit_counts
				INTO v_ids, v_counts
				FROM sortie.class k WHERE k.class_id = c_id[c];
				FOR i IN 1 .. cardinality(v_ids) LOOP
					IF l_room[v_ids[i]] < v_counts[i] THEN
						j := 0;
					END IF;
				END LOOP;
			END IF;
			IF j = 0 THEN
				c_depth[c] := 0;
				CONTINUE;
			END IF;
			g_n := g_n + 1;
			g_cls[g_n] := c;
			g_class[g_n] := c_id[c];
			g_place[g_n] := q.place;
			g_turn[g_n] := q.turn;
			g_number[g_n] := q.number;
			g_req[g_n] := j;
			g_ahead[g_n] := NOT (f_slots[j] > 0
				AND f_cores[j] >= c_cores[c]
				AND f_memory[j] >= c_memory[c]);
			IF g_ahead[g_n] THEN
				f_ahead[j] := f_ahead[j] - 1;
			ELSE
				f_slots[j] := f_slots[j] - 1;
				f_cores[j] := f_cores[j] - c_cores[c];
				f_memory[j] := f_memory[j] - c_memory[c];
			END IF;
			IF f_slots[j] + f_ahead[j] = 0 THEN
				v_room := set_bit(v_room, j - 1, 0);
			END IF;
			IF c_limited[c] THEN
				FOR i IN 1 .. cardinality(v_ids) LOOP
					l_room[v_ids[i]] := l_room[v_ids[i]]
						- v_counts[i];
				END LOOP;
			END IF;
			v_open := v_open - 1;
			EXIT WHEN v_open = 0;
			-- Its known jobs are used up: others may come before
			-- its next one, or not.
			IF c_seen[c] >= greatest(c_depth[c], v_depth) THEN
				c_depth[c] := least(v_open, 16 * c_seen[c]);
				v_more := true;
				EXIT;
			END IF;
		END LOOP;
		IF NOT v_more THEN
			EXIT WHEN v_window = c_n;
			v_window := least(4 * v_window, c_n);
		END IF;
	END LOOP;

	-- A job that was cancelled meanwhile is in nobody's queue, and one whose
	-- priority was changed may have been read at both places: only what the
	-- DELETE returns is granted.
	IF g_n > 0 THEN
		-- Not when the call began: it may have waited for the lane, and
		-- the jobs' runs before have ended meanwhile.
		v_now := clock_timestamp();
		RETURN QUERY
		WITH d AS (
			DELETE FROM sortie.queue w
			USING unnest(g_class, g_place, g_turn, g_number, g_req,
				g_ahead) AS g(class_id, place, turn, number,
				req, ahead)
			WHERE w.class_id = ANY (ARRAY[g.class_id])
				AND w.place = g.place AND w.turn = g.turn
				AND w.number = ANY (ARRAY[g.number])
			RETURNING w.*, g.req, g.ahead,
				hashint8extended(w.number, p_seed) AS run),
		l AS (
			INSERT INTO sortie.live (number, run, pilot, request,
				class_id, kind_id, place, turn, attempt, ahead,
				granted_at)
			SELECT d.number, d.run, r_pilot[d.req],
				r_request[d.req], d.class_id, d.kind_id,
				d.place, d.turn, d.attempt, d.ahead, v_now
			FROM d)
		SELECT 'g'::"char", d.req, d.run, d.number, j.id,
			d.attempt::int, j.idx, ~d.place, d.kind_id, d.ahead,
			j.name, NULL::text, NULL::text, j.definition
		FROM d JOIN sortie.job j ON j.number = ANY (ARRAY[d.number]);
		v_turn := 0;
		FOR v IN
			SELECT g.req, g.cls, l.kind_id, count(*)::int AS n,
				max(g.turn) AS turn, max(g.number) AS number
			FROM unnest(g_place, g_turn, g_number, g_req, g_cls)
				AS g(place, turn, number, req, cls)
			JOIN sortie.live l ON l.number = ANY (ARRAY[g.number])
				AND l.place = g.place AND l.turn = g.turn
				AND l.run = hashint8extended(g.number, p_seed)
			GROUP BY g.req, g.cls, l.kind_id
		LOOP
			u_slots[v.req] := u_slots[v.req] + v.n;
			u_cores[v.req] := u_cores[v.req]
				+ v.n * c_cores[v.cls];
			u_memory[v.req] := u_memory[v.req]
				+ v.n * c_memory[v.cls];
			v_turn := greatest(v_turn, v.turn);
			IF abs(v.number - c_noted[v.cls])
				> sortie.heads_apart_1(c_n) THEN
				v_note := v_note || v.cls;
			END IF;
			v_kinds := v_kinds || v.kind_id;
			v_granted := v_granted || v.n::bigint;
			v_taken := v_taken || -v.n::bigint;
			IF c_limited[v.cls] THEN
				SELECT k.limit_ids, k.limit_counts
				INTO v_ids, v_counts FROM sortie.class k
				WHERE k.class_id = c_id[v.cls];
				FOR i IN 1 .. cardinality(v_ids) LOOP
					l_used[v_ids[i]] := coalesce(
						l_used[v_ids[i]], 0)
						+ v.n * v_counts[i];
				END LOOP;
			END IF;
		END LOOP;
		IF v_turn > (SELECT l.last_value FROM sortie.lane_turn l) THEN
			PERFORM setval('sortie.lane_turn', v_turn);
		END IF;
	END IF;

	UPDATE sortie.pilot_room p
	SET request = greatest(p.request, u.request), server = p_server,
		lease_tick = u.lease, heard_at = v_now,
		used_slots = p.used_slots + u.slots,
		used_cores = p.used_cores + u.cores,
		used_memory = p.used_memory + u.memory,
		reserved_place = CASE WHEN p.reserved_number = ANY (g_number)
			THEN NULL ELSE p.reserved_place END,
		reserved_turn = CASE WHEN p.reserved_number = ANY (g_number)
			THEN NULL ELSE p.reserved_turn END,
		reserved_number = CASE WHEN p.reserved_number = ANY (g_number)
			THEN NULL ELSE p.reserved_number END
	FROM unnest(u_at, r_request, r_lease, u_slots, u_cores, u_memory)
		AS u(at, request, lease, slots, cores, memory)
	WHERE p.ctid = u.at;

	IF v_kinds IS NOT NULL THEN
		PERFORM sortie.tally_add_1(p_bucket, v_kinds || v_kinds,
			array_fill('defined'::sortie.job_state,
				ARRAY[cardinality(v_kinds)])
			|| array_fill('dispatched'::sortie.job_state,
				ARRAY[cardinality(v_kinds)]),
			v_taken || v_granted);
	END IF;

	-- Requests that were answered before: their runs again.
	IF v_replay IS NOT NULL THEN
		FOR v IN
			SELECT u.i, l.*, j.id, j.idx, j.name, j.definition
			FROM unnest(v_replay) AS u(i)
			JOIN sortie.live l ON l.pilot = r_pilot[u.i]
				AND l.request = r_request[u.i]
			JOIN sortie.job j ON j.number = l.number
		LOOP
			what := 'g'; req := v.i; number := v.number;
			run := v.run; id := v.id; attempt := v.attempt;
			idx := v.idx; priority := ~v.place; kind := v.kind_id;
			ahead := v.ahead; name := v.name;
			definition := v.definition;
			RETURN NEXT;
			v_kinds := v_kinds || v.kind_id;
		END LOOP;
	END IF;
	IF v_kinds IS NOT NULL THEN
		RETURN QUERY
		SELECT 'k'::"char", 0, 0::bigint, k.kind_id::bigint, NULL::uuid,
			0, 0, 0, 0, false, k.jobtype, o.name, p.name, NULL::text
		FROM (SELECT DISTINCT x FROM unnest(v_kinds) AS x) AS u
		JOIN sortie.kind k ON k.kind_id = u.x
		JOIN sortie.owner o ON o.owner_id = k.owner_id
		JOIN sortie.project p ON p.project_id = k.project_id;
	END IF;
	IF v_notice IS NOT NULL THEN
		RETURN QUERY SELECT w.what, w.req, w.run, w.number, NULL::uuid,
			0, 0, 0, 0, false, NULL::text, NULL::text, NULL::text,
			NULL::text
		FROM unnest(v_notice) AS u(i),
			sortie.orders_1(r_pilot[u.i], u.i) AS w;
	END IF;

	-- One at a time pilots empty the queue again and again: then it is worth
	-- a look at a few classes that the next claims would be in vain.
	IF v_open > 0 AND c_n = 0 THEN
		v_left := false;
	ELSIF g_n BETWEEN 1 AND 4 AND c_n <= 4 THEN
		v_left := EXISTS (SELECT 1 FROM unnest(c_id) AS u(c),
			LATERAL sortie.queue_head_1(u.c));
	END IF;
	RETURN QUERY SELECT 'p'::"char", u.ord::int, v_fit, u.profile::bigint,
		NULL::uuid, 0, 0, 0, 0, NOT v_left AND u.profile = ANY (p_id),
		NULL::text, NULL::text, NULL::text, NULL::text
	FROM unnest(u_profile) WITH ORDINALITY AS u(profile, ord)
	WHERE u.profile IS NOT NULL;

	-- Limits after all other rows, by id.
	IF l_used IS NOT NULL THEN
		FOR v IN SELECT l.limit_id FROM sortie.lim l
			WHERE l.limit_id BETWEEN array_lower(l_used, 1)
				AND array_upper(l_used, 1)
			ORDER BY l.limit_id
		LOOP
			IF l_used[v.limit_id] > 0 THEN
				UPDATE sortie.lim l
				SET used = l.used + l_used[v.limit_id]
				WHERE l.limit_id = v.limit_id;
			END IF;
		END LOOP;
	END IF;
	-- Very last: who holds a class alone waits for nothing.
	IF v_note IS NOT NULL THEN
		PERFORM sortie.heads_note_1(array_agg(c_id[u.c]),
			array_agg(c_place[u.c]), array_agg(c_turn[u.c]),
			array_agg(c_number[u.c]))
		FROM (SELECT DISTINCT x FROM unnest(v_note) AS x) AS u(c);
	END IF;
	IF cardinality(v_empty) > 0 THEN
		PERFORM sortie.class_rest_1(v_empty);
	END IF;
END $$;

-- Orders for a pilot with a notice: cancelled runs, and drain or stop. req is
-- handed through. Notes that the cancels were told.
CREATE OR REPLACE FUNCTION sortie.orders_1(p_pilot bigint, p_req int)
RETURNS TABLE (what "char", req int, run bigint, number bigint)
LANGUAGE sql AS $$
	SELECT 'c'::"char", p_req, l.run, l.number FROM sortie.live l
	WHERE l.pilot = p_pilot AND l.cancelling
	UNION ALL
	SELECT CASE p.pilot_order WHEN 'drain' THEN 'd' ELSE 's' END::"char",
		p_req, 0::bigint, 0::bigint
	FROM sortie.pilot_room p
	WHERE p.pilot = p_pilot AND p.pilot_order IS NOT NULL
$$;

-- Classes that a claim found empty lose their mark, unless somebody is just
-- putting a job in (holds the class's lock) or has: seen by a fresh statement.
CREATE OR REPLACE FUNCTION sortie.class_rest_1(p_class int[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
DECLARE
	v_free int[];
BEGIN
	SELECT array_agg(c) INTO v_free FROM unnest(p_class) AS c
	WHERE pg_try_advisory_xact_lock(7001, c);
	IF v_free IS NOT NULL THEN
		DELETE FROM sortie.class_ready r
		WHERE r.class_id = ANY (v_free)
		AND NOT EXISTS (SELECT 1 FROM sortie.queue_head_1(r.class_id));
	END IF;
END $$;
