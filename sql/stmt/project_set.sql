-- Sets what a project may and keeps, making the project when it is new.
-- $1 bucket, $2 name, $3 maximum of running jobs (NULL: none), $4 whether to
-- set it, $5 how many ended jobs are kept (NULL: all), $6 whether to set it, $7
-- owner id of who does it.
-- Result: one row. Locks: advisory 7000, the table of live runs, the project.
WITH e AS (
	INSERT INTO sortie.event (kind, owner_id, text, detail)
	VALUES ('project set', $7::int, $2::text, json_strip_nulls(
		json_build_object('max_running', $3::int, 'keep_last',
		$5::bigint))))
SELECT sortie.project_set_1($1::int, $2::text, $3::int, $4::bool, $5::bigint,
	$6::bool)
