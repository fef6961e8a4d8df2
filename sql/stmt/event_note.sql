-- What somebody wants to be remembered.
-- $1 owner id of who does it, $2 name, $3 text.
-- Result: one row: the event. Locks: none.
WITH e AS (
	INSERT INTO sortie.event (kind, owner_id, text, detail)
	VALUES ('note', $1::int, $3::text, json_build_object('name', $2::text))
	RETURNING at, kind, owner_id, text, detail)
SELECT json_build_object('at', sortie.utc_1(e.at), 'kind', e.kind, 'owner',
	o.name, 'text', e.text, 'detail', e.detail)::text
FROM e JOIN sortie.owner o ON o.owner_id = e.owner_id
