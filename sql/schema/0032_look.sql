-- 0032: large workflows are started, and lose their maximum, in steps.

-- Jobs with numbers above look_after are yet to be looked at: they may run now,
-- and wait; NULL: none.
ALTER TABLE sortie.workflow ADD COLUMN look_after bigint;
CREATE INDEX workflow_look ON sortie.workflow (workflow)
	WHERE look_after IS NOT NULL;
