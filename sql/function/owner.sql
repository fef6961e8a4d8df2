-- Limits of owners.

-- What binds an owner: an own value, else that of the owner called "*". (A row;
-- a part of the statements that call it.)
CREATE OR REPLACE FUNCTION sortie.owner_limits_1(p_owner int)
RETURNS TABLE (max_queued bigint, max_rate int, max_stored bigint)
LANGUAGE sql STABLE ROWS 1 AS $$
	SELECT coalesce(o.max_queued, d.max_queued),
		coalesce(o.max_rate, d.max_rate),
		coalesce(o.max_stored, d.max_stored)
	FROM sortie.owner o LEFT JOIN sortie.owner d ON d.name = '*'
	WHERE o.owner_id = p_owner
$$;

-- As servers call it that want a single row.
CREATE OR REPLACE FUNCTION sortie.owner_limit_1(p_owner int,
	OUT max_queued bigint, OUT max_rate int, OUT max_stored bigint)
LANGUAGE sql STABLE AS $$
	SELECT l.max_queued, l.max_rate, l.max_stored
	FROM sortie.owner_limits_1(p_owner) AS l
$$;

-- Jobs of an owner that have not ended.
CREATE OR REPLACE FUNCTION sortie.owner_queued_1(p_owner int)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT coalesce(sum(n.n), 0)
		FROM sortie.kind k JOIN sortie.tally n ON n.kind_id = k.kind_id
		WHERE k.owner_id = p_owner AND n.state NOT IN ('finished',
			'failed', 'timelimit', 'cancelled', 'lost',
			'skipped'));
END $$;

-- Refuses jobs that are more than their owner may have, or whose definitions
-- are more bytes. p_owner may name one several times; the jobs of index i_req
-- in it are described by i_definition, i_replicas times each. Takes no lock:
-- calls at the same moment may go beyond the maximum by what they bring. SO030
-- (detail: the maximum), SO031.
CREATE OR REPLACE FUNCTION sortie.owner_room_2(p_owner int[], p_more bigint[],
	i_req int[], i_replicas int[], i_definition text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v record;
BEGIN
	FOR v IN SELECT m.owner_id, m.n, l.max_queued, l.max_stored
		FROM (SELECT u.owner_id, sum(u.n)::bigint AS n
			FROM unnest(p_owner, p_more) AS u(owner_id, n)
			GROUP BY u.owner_id HAVING sum(u.n) > 0) AS m
		CROSS JOIN LATERAL sortie.owner_limits_1(m.owner_id) AS l
		WHERE l.max_queued IS NOT NULL OR l.max_stored IS NOT NULL
	LOOP
		IF v.max_queued IS NOT NULL
		AND sortie.owner_queued_1(v.owner_id) + v.n > v.max_queued THEN
			RAISE EXCEPTION 'you may have % jobs that have not ended: wait until some have, or ask an administrator', v.max_queued
				USING ERRCODE = 'SO030',
				DETAIL = v.max_queued;
		END IF;
		IF v.max_stored IS NOT NULL THEN
			PERFORM sortie.owner_store_1(v.owner_id, (SELECT
				sum(i.replicas * octet_length(i.definition)
					::bigint)::bigint
				FROM unnest(i_req, i_replicas, i_definition)
					AS i(req, replicas, definition)
				WHERE p_owner[i.req] = v.owner_id));
		END IF;
	END LOOP;
END $$;
