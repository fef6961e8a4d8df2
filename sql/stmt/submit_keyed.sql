-- A batch of submissions, some with keys (sortie.submit_keyed_2). Returns a row
-- per request: its 1-based index, first number, count, answer as JSON or NULL,
-- fault or NULL, its sentence and its detail. Locks projects, keys.
SELECT s.req, s.first, s.n, s.answer, s.fault, s.message, s.detail
FROM sortie.submit_keyed_2($1::int, $2::bigint, $3::bigint, $4::int[],
	$5::int[], $6::text[], $7::bytea[], $8::int[], $9::int[], $10::int[],
	$11::int[], $12::int[], $13::int[], $14::bool[],
	$15::text[]::timestamptz[], $16::text[], $17::text[], $18::text[],
	$19::text[], $20::text[]) AS s
