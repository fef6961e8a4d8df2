-- Makes the parts of a submission real. $1 submission, $2 number of parts,
-- $3 Idempotency-Key, $4 hash of the body, $5 bucket, $6 and $7 time and salt
-- of UUIDs, $8 owner. Returns the answer as submit_keyed does.
SELECT sortie.submission_commit_1($1::uuid, $2::int, $3::text, $4::bytea,
	$5::int, $6::bigint, $7::bigint, $8::int)
