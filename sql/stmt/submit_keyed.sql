-- One submission with keys (sortie.submit_keyed_1). Returns its answer as
-- JSON. Locks the Idempotency-Key, keys, projects.
SELECT sortie.submit_keyed_1($1::text, $2::bytea, $3::int, $4::bigint,
	$5::bigint, $6::int, $7::int[], $8::int[], $9::int[], $10::int[],
	$11::int[], $12::int[], $13::bool[], $14::text[]::timestamptz[],
	$15::text[], $16::text[], $17::text[], $18::text[], $19::text[])
