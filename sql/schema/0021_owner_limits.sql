-- 0021: what one owner may take of the service, so that the others have theirs.

-- NULL: as the owner called "*" says; NULL there: no limit. max_queued: jobs
-- that have not ended; max_rate: calls a second to one server; max_stored:
-- bytes of files put.
ALTER TABLE sortie.owner
	ADD COLUMN max_queued bigint,
	ADD COLUMN max_rate int,
	ADD COLUMN max_stored bigint;

-- Who has put a file first.
ALTER TABLE sortie.blob ADD COLUMN owner_id int;
CREATE INDEX blob_owner ON sortie.blob (owner_id) INCLUDE (size);
