-- Output of live runs, piece by piece.

-- A piece of output of a live run. Rows: idx (1-based), has = bytes of the
-- stream that the server has now (the next offset it takes), what: + stored or
-- already there, g not a live run of the pilot, o does not begin at `has`.
-- A gap is taken from p_head on (the middle was left out); then pieces that
-- end before the last p_tail bytes go.
CREATE OR REPLACE FUNCTION sortie.output_put_1(p_head bigint, p_tail bigint,
	o_pilot bigint[], o_number bigint[], o_run bigint[],
	o_stream smallint[], o_at bigint[], o_len int[], o_data bytea[],
	o_blob bytea[])
RETURNS TABLE (idx int, what "char", has bigint) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_attempt smallint;
	v_owner int;
	v_gone bigint;
	v_blobs bytea[];
	x_owner int[] := '{}'; x_bytes bigint[] := '{}';
BEGIN
	-- By hash, so that two batches cannot wait for each other; what is
	-- refused below leaves a blob that nobody uses, which a sweep takes.
	INSERT INTO sortie.blob AS b (sha256, size)
	SELECT DISTINCT ON (u.sha256) u.sha256, u.len
	FROM unnest(o_blob, o_len) AS u(sha256, len)
	WHERE u.sha256 IS NOT NULL
	ORDER BY u.sha256
	ON CONFLICT (sha256) DO UPDATE SET put_at = now();
	FOR i IN 1 .. cardinality(o_run) LOOP
		idx := i;
		-- 55P03: the run is just starting or ending, or not, or has
		-- another piece written; then it is known. (A key-share lock
		-- would wait for a start that is being written, whatever NOWAIT
		-- says.)
		SELECT l.attempt, (SELECT k.owner_id FROM sortie.kind k
			WHERE k.kind_id = l.kind_id)
		INTO v_attempt, v_owner FROM sortie.live l
		WHERE l.number = o_number[i] AND l.run = o_run[i]
			AND l.pilot = o_pilot[i]
		FOR NO KEY UPDATE NOWAIT;
		IF NOT FOUND THEN
			what := 'g'; has := 0;
			RETURN NEXT;
			CONTINUE;
		END IF;
		SELECT o.at + o.len INTO has FROM sortie.output o
		WHERE o.number = o_number[i] AND o.attempt = v_attempt
			AND o.stream = o_stream[i]
		ORDER BY o.at DESC LIMIT 1;
		has := coalesce(has, 0);
		IF o_at[i] + o_len[i] <= has THEN
			what := '+';
		ELSIF o_len[i] > 0 AND (o_at[i] = has
			OR o_at[i] > has AND o_at[i] >= p_head) THEN
			INSERT INTO sortie.output (number, attempt, stream, at,
				len, data, blob, owner_id)
			VALUES (o_number[i], v_attempt, o_stream[i], o_at[i],
				o_len[i], CASE WHEN o_blob[i] IS NULL
					THEN o_data[i] END, o_blob[i], v_owner);
			x_owner := x_owner || v_owner;
			x_bytes := x_bytes || o_len[i]::bigint;
			has := o_at[i] + o_len[i];
			what := '+';
			IF o_blob[i] IS NOT NULL THEN
				INSERT INTO sortie.blob_use (sha256, number)
				VALUES (o_blob[i], o_number[i])
				ON CONFLICT DO NOTHING;
			END IF;
			IF has > p_head + p_tail THEN
				WITH d AS (
					DELETE FROM sortie.output o
					WHERE o.number = o_number[i]
					AND o.attempt = v_attempt
					AND o.stream = o_stream[i]
					AND o.at >= p_head
					AND o.at + o.len <= has - p_tail
					RETURNING o.blob, o.len, o.owner_id)
				SELECT array_agg(d.blob)
				FILTER (WHERE d.blob IS NOT NULL),
				sum(d.len) FILTER (WHERE d.owner_id = v_owner)
				INTO v_blobs, v_gone FROM d;
				x_owner := x_owner || v_owner;
				x_bytes := x_bytes || -coalesce(v_gone, 0);
				PERFORM sortie.blobs_unuse_1(o_number[i],
					v_blobs);
			END IF;
		ELSE
			what := 'o';
		END IF;
		RETURN NEXT;
	END LOOP;
	IF x_owner <> '{}' THEN
		PERFORM sortie.stored_add_1('o', x_owner, x_bytes);
	END IF;
END $$;

-- Pieces of a job's output went: their blobs are not the job's any more, unless
-- another piece has the same bytes or the job sends a file of them.
CREATE OR REPLACE FUNCTION sortie.blobs_unuse_1(p_number bigint, p_blob bytea[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
BEGIN
	IF p_blob IS NULL THEN
		RETURN;
	END IF;
	DELETE FROM sortie.blob_use u
	WHERE u.number = p_number AND u.sha256 = ANY (p_blob)
	AND NOT EXISTS (SELECT 1 FROM sortie.output o
		WHERE o.number = p_number AND o.blob = u.sha256)
	AND NOT EXISTS (SELECT 1 FROM sortie.job j
		WHERE j.number = p_number AND strpos(j.definition,
			encode(u.sha256, 'hex')) > 0);
END $$;
