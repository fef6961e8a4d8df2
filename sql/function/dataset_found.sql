-- What pilots tell of the files that runs read and wrote.

-- Ends of runs, just recorded, whose pilots looked at files; arrays run
-- parallel. p_files: {"inputs": [FILE…], "outputs": [FILE…]}, a FILE with
-- "dataset", and "size" and "sha256" where known; the others tell of files
-- that are no datasets. A finished run makes what it wrote ready, and what it
-- should have written and did not missing; an input from outside is ready once
-- it was seen. Only datasets of the run's own job change. Locks datasets, by
-- number.
CREATE OR REPLACE FUNCTION sortie.datasets_found_1(p_number bigint[],
	p_run bigint[], p_state sortie.run_state[], p_files text[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	WITH e AS MATERIALIZED (
		SELECT u.number, u.run, u.state, u.files::json AS files
		FROM unnest(p_number, p_run, p_state, p_files)
			AS u(number, run, state, files)),
	f AS MATERIALIZED (
		SELECT DISTINCT ON (y.dataset) y.* FROM (
			SELECT e.number, e.run, 'o'::"char" AS role,
				(x->>'dataset')::bigint AS dataset,
				(x->>'size')::bigint AS size,
				x->>'sha256' AS checksum
			FROM e, json_array_elements(e.files->'outputs') AS x
			WHERE e.state = 'finished'
			UNION ALL
			SELECT e.number, e.run, 'i',
				(x->>'dataset')::bigint,
				(x->>'size')::bigint, NULL
			FROM e, json_array_elements(e.files->'inputs') AS x
		) AS y
		WHERE y.dataset IS NOT NULL
		ORDER BY y.dataset, y.role DESC),
	d AS MATERIALIZED (
		SELECT d.dataset, f.number, f.run, f.role, f.size, f.checksum
		FROM f JOIN sortie.dataset d ON d.dataset = f.dataset
		WHERE EXISTS (SELECT 1 FROM sortie.dataset_use u
				WHERE u.number = f.number
				AND u.dataset = f.dataset AND u.role = f.role)
			AND CASE f.role WHEN 'o' THEN d.state <> 'deleted'
				ELSE d.state = 'declared'
				AND d.producer IS NULL END
		ORDER BY d.dataset FOR NO KEY UPDATE OF d)
	UPDATE sortie.dataset t
	SET state = 'ready', updated_at = now(), size = d.size,
		checksum = CASE d.role WHEN 'o' THEN d.checksum
			ELSE t.checksum END,
		producer = CASE d.role WHEN 'o' THEN d.number
			ELSE t.producer END,
		producer_run = CASE d.role WHEN 'o' THEN r.attempt
			ELSE t.producer_run END
	FROM d LEFT JOIN sortie.run r
		ON d.role = 'o' AND r.number = d.number AND r.run = d.run
	WHERE t.dataset = d.dataset;
	PERFORM sortie.datasets_missing_1(array_agg(u.number))
	FROM unnest(p_number, p_state) AS u(number, state)
	WHERE u.state = 'finished';
END $$;

-- These jobs have ended for good: what they have not written will not come.
-- Locks datasets, by number.
CREATE OR REPLACE FUNCTION sortie.datasets_missing_1(p_number bigint[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	UPDATE sortie.dataset t SET state = 'missing', updated_at = now()
	FROM (SELECT d.dataset FROM sortie.dataset d
		WHERE d.producer = ANY (p_number) AND d.state = 'declared'
		ORDER BY d.dataset FOR NO KEY UPDATE) AS d
	WHERE t.dataset = d.dataset;
END $$;
