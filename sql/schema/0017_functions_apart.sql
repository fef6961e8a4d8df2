-- 0017: functions live in sql/function now. What the migrations 0002 to 0016,
-- which held them, had made besides; a database that went through them has it.

CREATE INDEX IF NOT EXISTS project_gated ON sortie.project (project_id)
	WHERE max_running IS NOT NULL;

-- Pages of a pilot's runs, and whether any run still names a pilot.
CREATE INDEX IF NOT EXISTS run_pilot ON sortie.run (pilot, number);

-- How far a sweep over numbers has come; 0 = it begins anew.
CREATE TABLE IF NOT EXISTS sortie.sweep (
	name         text PRIMARY KEY,
	after        bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO sortie.sweep (name) VALUES ('retention')
ON CONFLICT (name) DO NOTHING;

-- One thing that happened. Events (src 0, n = seq) and ended runs (src 1, n =
-- number of the job) are one sequence, ordered by (xid, src, n, attempt).
DO $$ BEGIN
IF to_regtype('sortie.feed_row') IS NULL THEN
CREATE TYPE sortie.feed_row AS (
	xid          xid8,
	src          int,
	n            bigint,
	attempt      int,
	at           timestamptz,
	kind         text,
	owner_id     int,
	job          bigint,
	pilot        bigint,
	body         text,
	detail       json
);
END IF;
END $$;
