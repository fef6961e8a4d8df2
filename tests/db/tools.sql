-- Short names for what the tests do all the time.
CREATE SCHEMA t;
INSERT INTO sortie.owner (name) VALUES ('alice'), ('bob');

-- Heads of queues are noted after each claim.
CREATE OR REPLACE FUNCTION sortie.heads_apart_1(p_n int) RETURNS int
LANGUAGE sql IMMUTABLE AS 'SELECT -1';

-- Submits jobs of a class; returns the first number.
CREATE FUNCTION t.submit_to(p_bucket int, p_n int, p_class int, p_priority int,
	p_definition text, p_held bool, p_due timestamptz)
RETURNS bigint LANGUAGE sql AS $$
	SELECT s.first FROM sortie.class c
	JOIN sortie.kind k ON (k.owner_id, k.project_id, k.jobtype)
		= (c.owner_id, c.project_id, c.jobtype)
	CROSS JOIN sortie.submit_1(p_bucket, 7274496, -5, p_n,
		ARRAY[c.project_id], ARRAY[CASE WHEN p_held THEN 0 ELSE p_n
			END]::bigint[],
		ARRAY[c.owner_id], ARRAY[p_n]::bigint[], '{1}', '{1}', '{0}',
		'{0}', ARRAY[p_n], ARRAY[c.class_id], ARRAY[k.kind_id],
		ARRAY[p_priority], ARRAY[p_held], ARRAY[p_due], '{x}',
		ARRAY[p_definition], ARRAY[NULL::text], ARRAY[NULL::text]) AS s
	WHERE c.class_id = p_class
$$;

CREATE FUNCTION t.submit(p_bucket int, p_n int, p_req jsonb,
	p_priority int DEFAULT 0, p_definition text DEFAULT '{}',
	p_held bool DEFAULT false, p_owner int DEFAULT 1,
	p_due timestamptz DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN t.submit_to(p_bucket, p_n, (SELECT class_id
		FROM sortie.class_ensure_1(p_owner, p_req, 0)), p_priority,
		p_definition, p_held, p_due);
END $$;

CREATE FUNCTION t.pilot(p_slots int, p_cores int DEFAULT 1000,
	p_memory bigint DEFAULT 1000000, p_site text DEFAULT '',
	p_pools text[] DEFAULT '{}', p_predecessor bigint DEFAULT NULL,
	p_server bigint DEFAULT 1)
RETURNS bigint LANGUAGE sql AS $$
	SELECT pilot FROM sortie.pilot_register_1(5, p_server, 100, 7274496,
		-5, 1, true, '{}', 'host', p_site, p_pools, '{}', '{}', '{}',
		p_slots, p_cores, p_memory, '', 'v', 0, p_predecessor)
$$;

-- Claims for some pilots at once, each for all it has. r_pilot, r_request run
-- parallel.
CREATE FUNCTION t.claims(p_bucket int, r_pilot bigint[], r_request bigint[],
	p_slots int DEFAULT 1000, p_ahead int DEFAULT 0)
RETURNS TABLE (what "char", pilot bigint, number bigint, run bigint)
LANGUAGE sql AS $$
	SELECT c.what, r_pilot[c.req], c.number, c.run
	FROM sortie.claim_1(p_bucket, 1, (random() * 1e15)::bigint, r_pilot,
		r_request, array_fill(p_slots, ARRAY[cardinality(r_pilot)]),
		array_fill(100000, ARRAY[cardinality(r_pilot)]),
		array_fill(1000000000000, ARRAY[cardinality(r_pilot)]),
		array_fill(p_ahead, ARRAY[cardinality(r_pilot)]),
		array_fill(1000::bigint, ARRAY[cardinality(r_pilot)])) AS c
$$;

-- The jobs granted to one pilot, in the order of their places.
CREATE FUNCTION t.claim(p_pilot bigint, p_request bigint, p_slots int
	DEFAULT 1000) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(c.number::text, ',' ORDER BY c.number)
	FROM t.claims(1, ARRAY[p_pilot], ARRAY[p_request], p_slots) AS c
	WHERE c.what = 'g'
$$;

CREATE FUNCTION t.run(p_number bigint) RETURNS bigint LANGUAGE sql AS $$
	SELECT run FROM sortie.live WHERE number = p_number
$$;

-- One report of one pilot: starts, ends, and the list of live runs (NULL: it
-- carries none). Of each row: what and the job.
CREATE FUNCTION t.report(p_bucket int, p_pilot bigint, s_number bigint[],
	s_run bigint[], e_number bigint[], e_run bigint[], e_state text[],
	l_number bigint[] DEFAULT NULL, l_run bigint[] DEFAULT NULL)
RETURNS TABLE (what "char", number bigint) LANGUAGE plpgsql AS $$
DECLARE
	s int[] := ARRAY[cardinality(s_number)];
	e int[] := ARRAY[cardinality(e_number)];
BEGIN
	RETURN QUERY SELECT r.what, r.number FROM sortie.report_1(p_bucket, 1,
		3, ARRAY[p_pilot], ARRAY[1000::bigint],
		ARRAY[l_number IS NOT NULL], ARRAY[false],
		array_fill(1, s), s_number, s_run, array_fill(0::bigint, s),
		array_fill(1, e), e_number, e_run, e_state::sortie.run_state[],
		array_fill(''::text, e), array_fill(0, e),
		array_fill(NULL::int, e), array_fill(0::bigint, e),
		array_fill(10::bigint, e), array_fill(true, e),
		array_fill(1::bigint, e), array_fill(1::bigint, e),
		array_fill(1::bigint, e), array_fill(0::bigint, e),
		array_fill(0::bigint, e), array_fill(NULL::bytea, e),
		array_fill(NULL::bytea, e), array_fill(0::smallint, e),
		array_fill(NULL::text, e),
		array_fill(1, ARRAY[coalesce(cardinality(l_number), 0)]),
		coalesce(l_number, '{}'), coalesce(l_run, '{}')) AS r;
END $$;

-- One end of one run: what the report said of it.
CREATE FUNCTION t.ends(p_pilot bigint, p_number bigint, p_run bigint,
	p_state text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(r.what::text, '' ORDER BY r.what)
	FROM t.report(2, p_pilot, '{}', '{}', ARRAY[p_number], ARRAY[p_run],
		ARRAY[p_state]) AS r
	WHERE r.what NOT IN ('w', 'W')
$$;

CREATE FUNCTION t.starts(p_pilot bigint, p_number bigint, p_run bigint)
RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(r.what::text, '' ORDER BY r.what)
	FROM t.report(2, p_pilot, ARRAY[p_number], ARRAY[p_run], '{}', '{}',
		'{}') AS r
$$;

-- All pilots' leases are over.
CREATE FUNCTION t.expire() RETURNS text LANGUAGE sql AS $$
	UPDATE sortie.pilot_room SET lease_tick = 0;
	SELECT string_agg(e.pilot || ':' || e.runs, ',' ORDER BY e.pilot)
	FROM sortie.expire_1(5, 3, 1, 1000000, 1000) AS e
$$;

CREATE FUNCTION t.state(p_number bigint) RETURNS text LANGUAGE sql AS $$
	SELECT sortie.job_state_1(p_number)::text
$$;
