-- What pilots tell of the files that runs read and wrote.

-- Ends of runs, just recorded, whose pilots looked at files; arrays run
-- parallel. p_files: {"inputs": [FILE…], "outputs": [FILE…], "left_out": bool},
-- a FILE with "path" as the job's definition has it, and "size" and "sha256"
-- where known. A finished run makes what it wrote ready, and what it should
-- have written and did not missing (unless files were left out); an input from
-- outside is ready once it was seen, if it is its reader's own. Only datasets
-- of the run's own job change. Locks datasets, by site, path and version.
CREATE OR REPLACE FUNCTION sortie.datasets_found_1(p_number bigint[],
	p_run bigint[], p_state sortie.run_state[], p_files text[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	-- All that may change, here and in datasets_missing_1, at once.
	PERFORM 1 FROM sortie.dataset_use u
	JOIN sortie.dataset d ON d.dataset = u.dataset
	WHERE u.number = ANY (p_number) AND (u.role = 'o'
		OR d.state = 'declared' AND d.producer IS NULL)
	ORDER BY d.site, d.path, d.version FOR NO KEY UPDATE OF d;
	WITH e AS MATERIALIZED (
		SELECT u.number, u.run, u.state, u.files::json AS files
		FROM unnest(p_number, p_run, p_state, p_files)
			AS u(number, run, state, files)),
	f AS MATERIALIZED (
		SELECT e.number, e.run, 'o'::"char" AS role, x.path, x.size,
			x.sha256
		FROM e, json_to_recordset(e.files->'outputs')
			AS x(path text, size bigint, sha256 text)
		WHERE e.state = 'finished'
		UNION ALL
		SELECT e.number, e.run, 'i', x.path, x.size, NULL
		FROM e, json_to_recordset(e.files->'inputs')
			AS x(path text, size bigint)),
	d AS MATERIALIZED (
		SELECT d.dataset, f.number, f.run, f.role, f.size, f.sha256
		FROM f
		JOIN sortie.dataset_use u
			ON u.number = f.number AND u.role = f.role
		JOIN sortie.dataset d
			ON d.dataset = u.dataset AND d.path = f.path
		JOIN sortie.job j ON j.number = f.number
		JOIN sortie.kind k ON k.kind_id = j.kind_id
		WHERE CASE f.role WHEN 'o' THEN d.state <> 'deleted'
			ELSE d.state = 'declared' AND d.producer IS NULL
				AND d.owner_id = k.owner_id END),
	o AS (SELECT DISTINCT ON (d.dataset) d.* FROM d
		ORDER BY d.dataset, d.role DESC)
	UPDATE sortie.dataset t
	SET state = 'ready', updated_at = now(), size = o.size,
		checksum = CASE o.role WHEN 'o' THEN o.sha256
			ELSE t.checksum END,
		producer = CASE o.role WHEN 'o' THEN o.number
			ELSE t.producer END,
		producer_run = CASE o.role WHEN 'o' THEN r.attempt
			ELSE t.producer_run END
	FROM o LEFT JOIN sortie.run r
		ON o.role = 'o' AND r.number = o.number AND r.run = o.run
	WHERE t.dataset = o.dataset;
	PERFORM sortie.datasets_missing_1(array_agg(u.number))
	FROM unnest(p_number, p_state, p_files) AS u(number, state, files)
	WHERE u.state = 'finished'
		AND NOT coalesce((u.files::json->>'left_out')::bool, false);
END $$;

-- These jobs have ended for good: what they have not written will not come.
-- Locks datasets, by site, path and version.
CREATE OR REPLACE FUNCTION sortie.datasets_missing_1(p_number bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	UPDATE sortie.dataset t SET state = 'missing', updated_at = now()
	FROM (SELECT d.dataset FROM sortie.dataset d
		WHERE d.producer = ANY (p_number) AND d.state = 'declared'
		ORDER BY d.site, d.path, d.version FOR NO KEY UPDATE) AS d
	WHERE t.dataset = d.dataset;
END $$;
