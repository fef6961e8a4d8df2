-- 0031: what owners have stored, counted when it comes and goes.

-- Changes of an owner's stored bytes; their sum is what the rows say. what: j
-- definitions of jobs, o output, d datasets. Each change is a row of its own,
-- so that no two writers wait for each other; a duty adds them up.
CREATE TABLE sortie.stored (
	owner_id     int NOT NULL,
	what         "char" NOT NULL,
	bytes        bigint NOT NULL
) WITH (autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_scale_factor = 0.1);
CREATE INDEX stored_owner ON sortie.stored (owner_id, what) INCLUDE (bytes);

-- What a row counts as, and for whom; NULL: it was there before and counts for
-- nobody, so that nothing has to be counted now, while everybody waits.
ALTER TABLE sortie.job ADD COLUMN bytes int;
ALTER TABLE sortie.output ADD COLUMN owner_id int;
ALTER TABLE sortie.dataset ADD COLUMN bytes int;
-- Of all parts that wait for the commit.
ALTER TABLE sortie.submission ADD COLUMN bytes bigint NOT NULL DEFAULT 0;
