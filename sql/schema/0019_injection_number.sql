-- 0019: injections are numbered, so that lists of them page as all others do.

ALTER TABLE sortie.injection
	ADD COLUMN injection bigint GENERATED ALWAYS AS IDENTITY;
CREATE UNIQUE INDEX injection_number ON sortie.injection (injection);
CREATE INDEX injection_stream
	ON sortie.injection (owner_id, stream, injection);
DROP INDEX sortie.injection_time;
