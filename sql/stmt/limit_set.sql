-- Sets a limit's capacity, making the limit when it is new.
-- $1 name ("jobtype:NAME" is the maximum of a jobtype), $2 capacity (NULL:
-- none), $3 owner id of who does it.
-- Result: one row. Locks: advisory 7000; for a new one 7004 and the table of
-- live runs.
WITH e AS (
	INSERT INTO sortie.event (kind, owner_id, text, detail)
	VALUES ('limit set', $3::int, $1::text,
		json_build_object('capacity', $2::int)))
SELECT sortie.limit_set_1($1::text, $2::int)
