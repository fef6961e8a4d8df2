-- Where the queues of classes begin (sortie.class_head), so that nobody who looks
-- for the first job of a class goes through those that were granted before: as
-- long as a snapshot is open that might see them, they are all still there.

-- The first queued job of a class, if there is one, and the number of the job
-- that was last noted as such.  No SET and no more than this one query, so that
-- it becomes part of the statements that call it.
CREATE OR REPLACE FUNCTION sortie.queue_head_1(p_class int)
RETURNS TABLE (place int, turn bigint, number bigint, noted bigint)
LANGUAGE sql STABLE ROWS 1 AS $$
	SELECT q.place, q.turn, q.number, f.number
	FROM (SELECT 1) AS one
	LEFT JOIN LATERAL (
		SELECT h.place, h.turn, h.number FROM sortie.class_head h
		WHERE h.class_id = p_class
		ORDER BY h.epoch DESC, h.place, h.turn, h.number
		LIMIT 1) AS f ON true
	CROSS JOIN LATERAL (
		SELECT w.place, w.turn, w.number FROM sortie.queue w
		WHERE w.class_id = p_class
		AND (w.place, w.turn, w.number) >= (
			coalesce(f.place, -2147483648),
			coalesce(f.turn, -9223372036854775808),
			coalesce(f.number, 0))
		ORDER BY w.place, w.turn, w.number
		LIMIT 1) AS q
$$;

-- Notes where the queues of classes begin; an empty one at the place given.
-- Leaves out classes into which somebody is putting jobs.  The last thing in a
-- transaction: who holds a class alone waits for nothing.
CREATE OR REPLACE FUNCTION sortie.heads_note_1(p_class int[], p_place int[],
	p_turn bigint[], p_number bigint[]) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off
AS $$
DECLARE
	v_ord int[];
BEGIN
	SELECT array_agg(u.ord::int) INTO v_ord
	FROM unnest(p_class) WITH ORDINALITY AS u(class_id, ord)
	WHERE pg_try_advisory_xact_lock(7001, u.class_id);
	IF v_ord IS NULL THEN
		RETURN;
	END IF;
	-- A fresh statement: it sees whatever was put in before.
	WITH n AS MATERIALIZED (
		SELECT p_class[o] AS class_id, coalesce(f.epoch, 0) AS epoch,
			coalesce(q.place, p_place[o]) AS place,
			coalesce(q.turn, p_turn[o]) AS turn,
			coalesce(q.number, p_number[o]) AS number
		FROM unnest(v_ord) AS o
		LEFT JOIN LATERAL (
			SELECT h.epoch FROM sortie.class_head h
			WHERE h.class_id = p_class[o]
			ORDER BY h.epoch DESC LIMIT 1) AS f ON true
		LEFT JOIN LATERAL sortie.queue_head_1(p_class[o]) AS q ON true),
	d AS (
		DELETE FROM sortie.class_head h USING n
		WHERE h.class_id = n.class_id AND h.epoch = n.epoch)
	INSERT INTO sortie.class_head (class_id, epoch, place, turn, number)
	SELECT n.class_id, n.epoch + 1, n.place, n.turn, n.number FROM n;
END $$;

-- How many jobs may have been granted from a queue before its head is noted
-- again, by the numbers of jobs: n queues are looked at in one claim, which is
-- to go through some hundreds of them at most.
CREATE OR REPLACE FUNCTION sortie.heads_apart_1(p_n int) RETURNS int
LANGUAGE sql IMMUTABLE AS $$
	SELECT greatest(500, 8 * p_n)
$$;
