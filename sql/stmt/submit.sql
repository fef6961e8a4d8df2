-- A batch of submissions (sortie.submit_1). Returns a row per request: its
-- 1-based index, first number, count. Locks projects.
SELECT s.req, s.first, s.n
FROM sortie.submit_1($1::int, $2::bigint, $3::bigint, $4::bigint, $5::int[],
	$6::bigint[], $7::int[], $8::bigint[], $9::int[], $10::int[],
	$11::bigint[], $12::bigint[], $13::int[], $14::int[], $15::int[],
	$16::int[], $17::bool[], $18::text[]::timestamptz[], $19::text[],
	$20::text[], $21::text[], $22::text[]) AS s
