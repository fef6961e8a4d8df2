-- Pilots that are kept free for big jobs.

-- Room for big jobs: the head of a class that has waited p_after_s seconds,
-- needs more than one core or some memory, is passed over, and fits a live
-- pilot's whole but no fitting pilot's free part gets one pilot reserved that
-- runs something of those behind it; reservations are lifted when the job has
-- left its place or the pilot cannot take it any more.  Passed over: a later turn
-- than its own was granted, and no smaller job that its pilots could take stands
-- in front of it, or behind it with less than p_after_s between their
-- submissions.  So where everything waits for an hour a big job waits an hour,
-- too, and pilots are not emptied for each (tests/bench/NOTES, 45).  Where runs
-- are short, emptying one costs little: ten times as long as live runs have
-- lasted is enough, then (50).  Run as a duty, in the grant lane.
CREATE OR REPLACE FUNCTION sortie.reserve_1(p_after_s int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
	v record;
	v_pilot bigint;
	v_n int := 0;
	v_after interval;
BEGIN
	-- Before the lane is held: beside a snapshot that stays it may take long.
	IF EXISTS (SELECT 1 FROM sortie.class_ready r
		JOIN sortie.class c ON c.class_id = r.class_id
		WHERE c.cores > 1 OR c.memory > 0) THEN
		SELECT 10 * avg(now() - l.granted_at) INTO v_after
		FROM (SELECT granted_at FROM sortie.live LIMIT 1000) AS l;
	END IF;
	v_after := least(v_after, make_interval(secs => p_after_s));
	PERFORM pg_advisory_xact_lock(7000);
	-- Pilots that are being talked to are left for the next time.
	UPDATE sortie.pilot_room p
	SET reserved_place = NULL, reserved_turn = NULL, reserved_number = NULL
	WHERE p.pilot IN (
		SELECT r.pilot FROM sortie.pilot_room r
		WHERE r.reserved_number IS NOT NULL
		AND (r.pilot_order IS NOT NULL OR NOT EXISTS (
			SELECT 1 FROM sortie.queue q
			JOIN sortie.class c ON c.class_id = q.class_id
			WHERE q.number = r.reserved_number
			AND q.place = r.reserved_place
			AND q.turn = r.reserved_turn
			AND r.profile_id = ANY (c.profiles)
			AND (r.ends_at IS NULL OR r.ends_at > now()
				+ make_interval(secs => least(c.life_s,
				1000000000)))))
		FOR NO KEY UPDATE SKIP LOCKED);
	FOR v IN
		WITH heads AS MATERIALIZED (
			SELECT c.class_id, c.cores, c.memory, c.life_s,
				c.profiles, h.place, h.turn, h.number,
				j.submitted_at, EXISTS (
					SELECT 1 FROM sortie.pilot_room p
					WHERE p.reserved_number = h.number)
					AS kept
			FROM (SELECT DISTINCT m.class_id
				FROM sortie.class_ready m) AS r
			JOIN sortie.class c ON c.class_id = r.class_id
			CROSS JOIN LATERAL sortie.queue_head_1(c.class_id)
				AS h
			JOIN sortie.job j ON j.number = h.number
			WHERE NOT EXISTS (
				SELECT 1 FROM unnest(c.limit_ids,
					c.limit_counts) AS u(limit_id, n)
				JOIN sortie.lim l ON l.limit_id = u.limit_id
				WHERE l.capacity - l.used < u.n)
		), big AS MATERIALIZED (
			SELECT * FROM heads b
			WHERE (b.cores > 1 OR b.memory > 0) AND NOT b.kept
			AND b.submitted_at < now() - v_after
			AND b.turn < (SELECT l.last_value
				FROM sortie.lane_turn l)
			ORDER BY b.place, b.turn, b.number
			LIMIT 100
		)
		SELECT * FROM big b
		WHERE NOT EXISTS (
			SELECT 1 FROM heads o
			WHERE o.class_id <> b.class_id AND NOT o.kept
			AND o.cores <= b.cores AND o.memory <= b.memory
			AND ((o.place, o.turn, o.number)
				< (b.place, b.turn, b.number)
				OR o.place = b.place
				AND o.submitted_at >= b.submitted_at
				AND o.submitted_at < b.submitted_at + v_after)
			AND EXISTS (SELECT 1 FROM sortie.pilot_room p
				WHERE p.profile_id = ANY (b.profiles)
				AND p.profile_id = ANY (o.profiles)
				AND p.pilot_order IS NULL
				AND p.cores >= b.cores AND p.memory >= b.memory
				AND (p.ends_at IS NULL OR p.ends_at > now()
				+ make_interval(secs => least(o.life_s,
				1000000000)))))
		ORDER BY b.place, b.turn, b.number
	LOOP
		IF EXISTS (SELECT 1 FROM sortie.pilot_room p
			WHERE p.profile_id = ANY (v.profiles)
			AND p.pilot_order IS NULL
			AND p.slots - p.used_slots > 0
			AND p.cores - p.used_cores >= v.cores
			AND p.memory - p.used_memory >= v.memory) THEN
			CONTINUE;
		END IF;
		SELECT p.pilot INTO v_pilot
		FROM (SELECT r.pilot FROM sortie.pilot_room r
			WHERE r.profile_id = ANY (v.profiles)
			AND r.pilot_order IS NULL AND r.reserved_number IS NULL
			AND r.cores >= v.cores AND r.memory >= v.memory
			AND (r.ends_at IS NULL OR r.ends_at > now()
				+ make_interval(secs => least(v.life_s,
				1000000000)))
			ORDER BY r.cores - r.used_cores DESC, r.pilot
			OFFSET 0) AS p
		WHERE EXISTS (SELECT 1 FROM sortie.live l
			WHERE l.pilot = p.pilot AND (l.place, l.turn, l.number)
				> (v.place, v.turn, v.number))
		LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
		IF FOUND THEN
			UPDATE sortie.pilot_room p
			SET reserved_place = v.place, reserved_turn = v.turn,
				reserved_number = v.number
			WHERE p.pilot = v_pilot;
			v_n := v_n + 1;
		END IF;
	END LOOP;
	RETURN v_n;
END $$;
