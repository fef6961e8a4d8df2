-- The class of jobs with these requirements, made when it is new. $1 owner,
-- $2 requirements as JSON, $3 seconds that such a job may run. Returns class,
-- kind and project, and the pilots ("3,4") that must claim again. Takes the fit lock (7004) for a new class.
SELECT e.class_id, e.kind_id, e.project_id, e.moved
FROM sortie.class_ensure_1($1::int, $2::jsonb, $3::bigint) AS e
