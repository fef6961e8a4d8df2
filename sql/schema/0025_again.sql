-- 0025: large workflows are tried again, and given other priorities, in steps.

-- Ended jobs of graphs that are to be tried again; duties go on with them.
CREATE TABLE sortie.again (
	workflow     bigint NOT NULL,
	number       bigint NOT NULL,
	PRIMARY KEY (workflow, number)
) WITH (autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_scale_factor = 0.02);

-- Jobs below priority_below are yet to get this priority; NULL: none.
ALTER TABLE sortie.workflow ADD COLUMN priority int,
	ADD COLUMN priority_below bigint;
CREATE INDEX workflow_priority ON sortie.workflow (workflow)
	WHERE priority_below IS NOT NULL;
