-- Stages a part, in place of an earlier one of that number. $1 submission,
-- $2 owner, $3 part, then arrays of items. Returns whether the submission is
-- open. Locks the submission's row, so that parts do not meet its commit. SO031.
WITH s AS MATERIALIZED (
	SELECT s.submission_id FROM sortie.submission AS s
	WHERE s.submission_id = $1::uuid AND s.owner_id = $2::int
	FOR UPDATE),
more AS MATERIALIZED (
	SELECT (SELECT coalesce(sum(octet_length(d)), 0)
			FROM unnest($12::text[]) AS d)
		- (SELECT coalesce(sum(octet_length(t.definition)), 0)
			FROM sortie.staged AS t
			WHERE t.submission_id = s.submission_id
			AND t.part = $3::int) AS bytes
	FROM s),
room AS MATERIALIZED (
	SELECT m.bytes FROM more AS m,
		sortie.owner_store_1($2::int, m.bytes::bigint)),
counted AS (
	UPDATE sortie.submission AS u SET bytes = u.bytes + room.bytes
	FROM s, room WHERE u.submission_id = s.submission_id),
rest AS (
	DELETE FROM sortie.staged AS t USING s
	WHERE t.submission_id = s.submission_id AND t.part = $3::int
		AND t.item > cardinality($5::int[])),
put AS (
	INSERT INTO sortie.staged (submission_id, part, item, project_id,
		replicas, class_id, kind_id, priority, held, due, name,
		definition, tags, sends, key)
	SELECT s.submission_id, $3::int, i.item, i.project_id, i.replicas,
		i.class_id, i.kind_id, i.priority, i.held, i.due, i.name,
		i.definition, i.tags::json, (SELECT array_agg(decode(h, 'hex'))
			FROM string_to_table(i.sends, ',') AS h), i.key
	FROM s, room, unnest($4::int[], $5::int[], $6::int[], $7::int[],
		$8::int[], $9::bool[], $10::text[]::timestamptz[], $11::text[],
		$12::text[], $13::text[], $14::text[], $15::text[])
		WITH ORDINALITY AS i(project_id, replicas, class_id, kind_id,
			priority, held, due, name, definition, tags, sends,
			key, item)
	ON CONFLICT (submission_id, part, item) DO UPDATE SET
		project_id = excluded.project_id,
		replicas = excluded.replicas, class_id = excluded.class_id,
		kind_id = excluded.kind_id, priority = excluded.priority,
		held = excluded.held, due = excluded.due,
		name = excluded.name, definition = excluded.definition,
		tags = excluded.tags, sends = excluded.sends,
		key = excluded.key)
SELECT EXISTS (SELECT 1 FROM s)
