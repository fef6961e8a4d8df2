-- Sets what an owner may have, making the owner when it is new; servers forget
-- what they knew of tokens, and so of their owners' rates.
-- $1 name, $2 jobs that have not ended (NULL: as "*"), $3 whether to set it, $4
-- calls a second, $5 whether to set it, $6 stored bytes, $7 whether to set
-- it, $8 owner id of who does it.
-- Result: one row. Locks: the owner.
WITH e AS (
	INSERT INTO sortie.event (kind, owner_id, text, detail)
	VALUES ('owner set', $8::int, $1::text, json_strip_nulls(
		json_build_object('max_queued', $2::bigint, 'max_rate', $4::int,
		'max_stored', $6::bigint)))),
s AS (
	INSERT INTO sortie.owner AS o (name, max_queued, max_rate, max_stored)
	VALUES ($1::text, $2::bigint, $4::int, $6::bigint)
	ON CONFLICT (name) DO UPDATE SET
		max_queued = CASE WHEN $3::bool THEN $2::bigint
			ELSE o.max_queued END,
		max_rate = CASE WHEN $5::bool THEN $4::int
			ELSE o.max_rate END,
		max_stored = CASE WHEN $7::bool THEN $6::bigint
			ELSE o.max_stored END
	RETURNING o.owner_id)
SELECT s.owner_id, pg_notify('sortie_token', '') FROM s
