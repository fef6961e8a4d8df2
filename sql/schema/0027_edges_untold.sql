-- 0027: edges are not written when they are told. That its parent has ended says
-- what an edge says, and `firing` keeps how far a job has come that has not told
-- all its children yet.

-- Nobody is in the middle of it. Who waits with functions of before meets an
-- error that undoes what it did, and comes again.
LOCK TABLE sortie.workflow IN EXCLUSIVE MODE;

-- Edges from it to children up to this one have been told.
ALTER TABLE sortie.firing ADD COLUMN child bigint NOT NULL DEFAULT 0;
CREATE INDEX firing_number ON sortie.firing (number);

-- Those that have told some of theirs begin anew: their children count these
-- again as not told.
UPDATE sortie.node n SET open = c.open, met = c.met, unmet = c.unmet
FROM (SELECT d.child, (count(*) - count(t.fired))::int AS open,
		coalesce(bool_or(t.fired), false) AS met,
		coalesce(bool_or(NOT t.fired), false) AS unmet
	FROM sortie.edge d
	LEFT JOIN sortie.firing f ON f.number = d.parent
	CROSS JOIN LATERAL (SELECT CASE WHEN f.number IS NULL THEN d.fired END
		AS fired) AS t
	WHERE d.child IN (SELECT x.child FROM sortie.firing y
		JOIN sortie.edge x ON x.parent = y.number)
	GROUP BY d.child) AS c
WHERE n.number = c.child;
ALTER TABLE sortie.edge DROP COLUMN fired;
ALTER TABLE sortie.edge RESET (fillfactor);
-- All nodes of a page may be told at once: their new versions stay on it.
ALTER TABLE sortie.node SET (fillfactor = 45);

SET LOCAL client_min_messages = warning; -- a new database has none of them
DROP FUNCTION IF EXISTS sortie.graph_tell_1, sortie.graph_reason_1,
	sortie.graph_look_1, sortie.graph_count_1, sortie.graph_settle_1,
	sortie.graph_firing_1;
