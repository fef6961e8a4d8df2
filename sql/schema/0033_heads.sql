-- 0033: claims pass over what is dead. While an old snapshot is open (a dump), no
-- granted job's row and no old version of a counter is cleaned away, and each
-- claim that looked for the heads of queues, or for a counter, went through all
-- of them again.

-- Where the queue of a class begins: no queued job of the class stands before
-- the least row of its newest epoch. Who puts a job before it adds a row; who
-- notes a new head begins an epoch and has the class's lock alone (head.sql).
-- The index finds that row first, however many dead ones follow.
CREATE TABLE sortie.class_head (
	class_id     int NOT NULL,
	epoch        bigint NOT NULL,
	place        int NOT NULL,
	turn         bigint NOT NULL,
	number       bigint NOT NULL
) WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX class_head_first ON sortie.class_head
	(class_id, epoch DESC, place, turn, number);

-- The turn last granted, which only the holder of the grant lane writes: a
-- sequence has one version.
CREATE SEQUENCE sortie.lane_turn MINVALUE 0 START 0;
DO $$ BEGIN
	PERFORM setval('sortie.lane_turn', l.turn) FROM sortie.lane l;
END $$;
DROP TABLE sortie.lane;

-- Vacuum goes through the same dead rows again and again meanwhile, each second:
-- it may do so with a tenth of a core and 2,000 changed pages a second, which is
-- twice what 30,000 jobs a second leave.
ALTER TABLE sortie.queue SET (autovacuum_vacuum_cost_delay = 5,
	autovacuum_vacuum_cost_limit = 200);
ALTER TABLE sortie.live SET (autovacuum_vacuum_cost_delay = 5,
	autovacuum_vacuum_cost_limit = 200);

-- Its successor takes places, too.
SET LOCAL client_min_messages = warning; -- a new database has none
DROP FUNCTION IF EXISTS sortie.classes_mark_1;
