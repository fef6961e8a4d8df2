-- Limits of owners.

-- What binds an owner: an own value, else that of the owner called "*".
CREATE OR REPLACE FUNCTION sortie.owner_limit_1(p_owner int,
	OUT max_queued bigint, OUT max_rate int, OUT max_stored bigint)
LANGUAGE sql STABLE AS $$
	SELECT coalesce(o.max_queued, d.max_queued),
		coalesce(o.max_rate, d.max_rate),
		coalesce(o.max_stored, d.max_stored)
	FROM sortie.owner o LEFT JOIN sortie.owner d ON d.name = '*'
	WHERE o.owner_id = p_owner
$$;

-- Jobs of an owner that have not ended.
CREATE OR REPLACE FUNCTION sortie.owner_queued_1(p_owner int)
RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT coalesce(sum(n.n), 0)::bigint
	FROM sortie.kind k JOIN sortie.tally n ON n.kind_id = k.kind_id
	WHERE k.owner_id = p_owner AND n.state NOT IN ('finished', 'failed',
		'timelimit', 'cancelled', 'lost', 'skipped')
$$;

-- Bytes that an owner has stored: files that he was the first to put, and
-- versions of dags.
CREATE OR REPLACE FUNCTION sortie.owner_stored_1(p_owner int)
RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT (SELECT coalesce(sum(b.size), 0) FROM sortie.blob b
			WHERE b.owner_id = p_owner)::bigint
		+ (SELECT coalesce(sum(octet_length(d.document)), 0)
			FROM sortie.dag d WHERE d.owner_id = p_owner)::bigint
$$;

-- Refuses so many more bytes when they are too many. Takes no lock, as
-- owner_room_1. SO031 (detail: the maximum).
CREATE OR REPLACE FUNCTION sortie.owner_store_1(p_owner int, p_more bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_max bigint;
BEGIN
	SELECT l.max_stored INTO v_max FROM sortie.owner_limit_1(p_owner) AS l;
	IF v_max IS NOT NULL
	AND sortie.owner_stored_1(p_owner) + p_more > v_max THEN
		RAISE EXCEPTION 'you may store % bytes of files and dags: delete versions of dags (files that no job uses go after a day), or ask an administrator', v_max
			USING ERRCODE = 'SO031', DETAIL = v_max;
	END IF;
END $$;

-- Refuses so many more jobs when they are too many. p_owner may name one
-- several times. Takes no lock: calls at the same moment may go beyond the
-- maximum by what they bring. SO030 (detail: the maximum).
CREATE OR REPLACE FUNCTION sortie.owner_room_1(p_owner int[], p_more bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_max bigint;
	v record;
BEGIN
	FOR v IN SELECT u.owner_id, sum(u.n)::bigint AS n
		FROM unnest(p_owner, p_more) AS u(owner_id, n)
		GROUP BY u.owner_id
	LOOP
		SELECT l.max_queued INTO v_max
		FROM sortie.owner_limit_1(v.owner_id) AS l;
		IF v_max IS NOT NULL AND v.n > 0
		AND sortie.owner_queued_1(v.owner_id) + v.n > v_max THEN
			RAISE EXCEPTION 'you may have % jobs that have not ended: wait until some have, or ask an administrator', v_max
				USING ERRCODE = 'SO030', DETAIL = v_max;
		END IF;
	END LOOP;
END $$;

-- Notes that a file is in the blob directory and says whether it is new.
-- Locks its row. SO031.
CREATE OR REPLACE FUNCTION sortie.blob_record_1(p_sha256 bytea, p_size bigint,
	p_owner int)
RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
	v_new bool;
BEGIN
	IF NOT EXISTS (SELECT 1 FROM sortie.blob b
		WHERE b.sha256 = p_sha256) THEN
		PERFORM sortie.owner_store_1(p_owner, p_size);
	END IF;
	INSERT INTO sortie.blob (sha256, size, owner_id)
	VALUES (p_sha256, p_size, p_owner)
	ON CONFLICT (sha256) DO UPDATE SET put_at = now()
	RETURNING xmax = 0 INTO v_new;
	RETURN v_new;
END $$;
