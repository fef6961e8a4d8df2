-- Bytes that owners have stored.
--
-- They are: definitions of jobs, output as far as it is kept, files that the
-- owner was the first to put, versions of dags, what datasets that are not
-- deleted are described by, and parts of submissions that wait for their
-- commit. Files, dags and parts are few rows, read when somebody asks; the
-- rest is counted in sortie.stored by whoever writes or deletes it.

CREATE OR REPLACE FUNCTION sortie.owner_stored_1(p_owner int)
RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT (SELECT coalesce(sum(s.bytes), 0) FROM sortie.stored s
			WHERE s.owner_id = p_owner)::bigint
		+ (SELECT coalesce(sum(b.size), 0) FROM sortie.blob b
			WHERE b.owner_id = p_owner)::bigint
		+ (SELECT coalesce(sum(octet_length(d.document)), 0)
			FROM sortie.dag d WHERE d.owner_id = p_owner)::bigint
		+ (SELECT coalesce(sum(m.bytes), 0) FROM sortie.submission m
			WHERE m.owner_id = p_owner)::bigint
$$;

-- Counts bytes that came, or went when below zero. p_owner may name one
-- several times, and NULL for what counts for nobody. Takes no lock.
CREATE OR REPLACE FUNCTION sortie.stored_add_1(p_what "char", p_owner int[],
	p_bytes bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO sortie.stored (owner_id, what, bytes)
	SELECT u.owner_id, p_what, sum(u.bytes)
	FROM unnest(p_owner, p_bytes) AS u(owner_id, bytes)
	WHERE u.owner_id IS NOT NULL
	GROUP BY u.owner_id HAVING sum(u.bytes) <> 0;
END $$;

-- What a dataset counts as.
CREATE OR REPLACE FUNCTION sortie.dataset_bytes_1(p_path text, p_name text,
	p_comment text)
RETURNS int LANGUAGE sql IMMUTABLE AS $$
	SELECT octet_length(p_path) + octet_length(p_name)
		+ octet_length(p_comment)
$$;

-- Refuses so many more bytes when they are too many. Takes no lock: calls at
-- the same moment may go beyond the maximum by what they bring. SO031 (detail:
-- the maximum).
CREATE OR REPLACE FUNCTION sortie.owner_store_1(p_owner int, p_more bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_max bigint;
BEGIN
	SELECT l.max_stored INTO v_max FROM sortie.owner_limits_1(p_owner) AS l;
	IF v_max IS NOT NULL
	AND sortie.owner_stored_1(p_owner) + p_more > v_max THEN
		RAISE EXCEPTION 'you may store % bytes (jobs and their output, files, dags, datasets), and this is more: delete what is not needed, or ask an administrator', v_max
			USING ERRCODE = 'SO031', DETAIL = v_max;
	END IF;
END $$;

-- Whether a file may be put: false when it is there already, which costs
-- nothing. SO031.
CREATE OR REPLACE FUNCTION sortie.blob_room_1(p_sha256 bytea, p_size bigint,
	p_owner int)
RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT 1 FROM sortie.blob b WHERE b.sha256 = p_sha256) THEN
		RETURN false;
	END IF;
	PERFORM sortie.owner_store_1(p_owner, p_size);
	RETURN true;
END $$;

-- Notes that a file is in the blob directory and says whether it is new.
-- Locks its row. SO031.
CREATE OR REPLACE FUNCTION sortie.blob_record_1(p_sha256 bytea, p_size bigint,
	p_owner int)
RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
	v_new bool;
BEGIN
	PERFORM sortie.blob_room_1(p_sha256, p_size, p_owner);
	INSERT INTO sortie.blob (sha256, size, owner_id)
	VALUES (p_sha256, p_size, p_owner)
	ON CONFLICT (sha256) DO UPDATE SET put_at = now()
	RETURNING xmax = 0 INTO v_new;
	RETURN v_new;
END $$;
