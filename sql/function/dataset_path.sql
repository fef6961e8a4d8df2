-- Whose a path is, and who may write there.
--
-- A path belongs to the owner of its newest version, until that is deleted:
-- nobody else registers it, and nobody else's job writes it, but everybody's
-- may read it. One job at a time makes it. A relative path is each workflow's
-- own.

-- Whether the path means the same file to everybody at its site. (Jobs have
-- working directories of their own.)
CREATE OR REPLACE FUNCTION sortie.path_shared_1(p_path text) RETURNS bool
LANGUAGE sql IMMUTABLE AS $$
	SELECT p_path LIKE '/%' OR p_path LIKE '%://%' OR p_path LIKE 'file:/%'
$$;

-- Jobs of workflows and what each is to write; arrays run parallel. A row for
-- each job that must not, with the error's code: SO012, another job that has
-- not ended makes the path, also one of p_job; SO020, it is somebody else's.
-- Other jobs are named where they are of the same project. Locks the newest
-- version of each path (55P03: somebody has it), so that of two who would
-- write one path the second sees what the first has done.
CREATE OR REPLACE FUNCTION sortie.paths_taken_1(p_job bigint[], p_site text[],
	p_path text[])
RETURNS TABLE (job bigint, path text, code text, message text)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
	PERFORM 1 FROM unnest(p_site, p_path) AS o(site, path)
	JOIN sortie.dataset x ON x.site = o.site AND x.path = o.path
		AND x.version = (SELECT max(y.version) FROM sortie.dataset y
			WHERE y.site = o.site AND y.path = o.path)
	WHERE sortie.path_shared_1(o.path)
	ORDER BY x.site, x.path FOR NO KEY UPDATE OF x NOWAIT;
	IF NOT FOUND AND NOT EXISTS (SELECT 1 FROM unnest(p_path) AS p
		WHERE NOT sortie.path_shared_1(p)) THEN
		RETURN;
	END IF;
	RETURN QUERY
	SELECT DISTINCT ON (o.job) o.job, o.path,
		CASE WHEN x.owner_id <> k.owner_id THEN 'SO020' ELSE 'SO012'
			END,
		CASE WHEN x.owner_id <> k.owner_id
			THEN format('the path "%s" belongs to somebody else''s '
				'dataset', left(o.path, 400))
			ELSE format('the path "%s" is being made by %s',
				left(o.path, 400), CASE WHEN y.project_id
				= k.project_id THEN 'job ' || m.number
				ELSE 'another job' END) END
	FROM unnest(p_job, p_site, p_path) AS o(job, site, path)
	JOIN sortie.node n ON n.number = o.job AND NOT n.noop
	JOIN sortie.job j ON j.number = o.job
	JOIN sortie.kind k ON k.kind_id = j.kind_id
	-- Versions of a shared path are few, those of a relative one may be as
	-- many as workflows.
	CROSS JOIN LATERAL (
		SELECT d.owner_id, d.producer, d.state <> 'deleted'
			AND NOT EXISTS (SELECT 1 FROM sortie.dataset z
				WHERE z.site = d.site AND z.path = d.path
				AND z.version > d.version) AS counts
		FROM sortie.dataset d
		WHERE sortie.path_shared_1(o.path) AND d.site = o.site
			AND d.path = o.path
		UNION ALL
		SELECT d.owner_id, d.producer, false FROM sortie.dataset d
		WHERE NOT sortie.path_shared_1(o.path)
			AND d.workflow = n.workflow AND d.site || '' = o.site
			AND d.path || '' = o.path) AS x
	LEFT JOIN sortie.job m ON m.number = x.producer
		AND m.number <> o.job AND (m.number < o.job
			AND m.number = ANY (p_job) OR NOT EXISTS (SELECT 1
				FROM sortie.ended e
				WHERE e.number = m.number))
	LEFT JOIN sortie.kind y ON y.kind_id = m.kind_id
	WHERE m.number IS NOT NULL
		OR x.counts AND x.owner_id <> k.owner_id
	ORDER BY o.job, x.owner_id = k.owner_id, o.path, m.number;
END $$;

-- The same for what ended jobs of workflows write: those that must not be tried
-- again.
CREATE OR REPLACE FUNCTION sortie.outputs_taken_1(p_job bigint[])
RETURNS TABLE (job bigint, path text, code text, message text)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_job bigint[]; v_site text[]; v_path text[];
BEGIN
	SELECT array_agg(e.number), array_agg(d.site), array_agg(d.path)
	INTO v_job, v_site, v_path
	FROM sortie.ended e
	JOIN sortie.dataset_use u ON u.number = e.number AND u.role = 'o'
	JOIN sortie.dataset d ON d.dataset = u.dataset
	WHERE e.number = ANY (p_job);
	IF v_job IS NOT NULL THEN
		RETURN QUERY SELECT *
		FROM sortie.paths_taken_1(v_job, v_site, v_path);
	END IF;
END $$;

-- Uses of datasets, arrays run parallel. SO017: one job writes a relative path
-- that another one reads, and they do not run in one directory.
CREATE OR REPLACE FUNCTION sortie.relative_check_1(u_job bigint[],
	u_dataset bigint[], u_role "char"[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v record;
BEGIN
	SELECT c.name AS reader, p.name AS writer, d.path INTO v
	FROM unnest(u_job, u_dataset, u_role) AS u(job, dataset, role)
	JOIN sortie.dataset d ON d.dataset = u.dataset
		AND NOT sortie.path_shared_1(d.path)
	JOIN sortie.node p ON p.number = d.producer AND NOT p.noop
	JOIN sortie.node c ON c.number = u.job AND NOT c.noop
	JOIN sortie.job x ON x.number = p.number
	JOIN sortie.job y ON y.number = c.number
	WHERE u.role = 'i' AND p.number <> c.number
		AND (x.definition::json ->> 'cwd'
			= y.definition::json ->> 'cwd') IS NOT TRUE
	ORDER BY c.number LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'job "%": it cannot read the file "%" of the job "%": each has a working directory of its own: give the file a "directory", or both jobs the same "cwd"',
			v.reader, left(v.path, 400), v.writer
			USING ERRCODE = 'SO017', DETAIL = v.path;
	END IF;
END $$;
