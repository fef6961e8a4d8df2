-- Makes a job of a file that an injector found: $1 to $19 as for
-- submit_keyed, then as for injection_workflow (sortie.injection_job_1).
-- Returns the answer as JSON. Locks the injection, the dataset, the project.
SELECT sortie.injection_job_1($1::text, $2::bytea, $3::int, $4::bigint,
	$5::bigint, $6::int, $7::int[], $8::int[], $9::int[], $10::int[],
	$11::int[], $12::int[], $13::bool[], $14::text[]::timestamptz[],
	$15::text[], $16::text[], $17::text[], $18::text[], $19::text[],
	$20::text, $21::text, $22::int, $23::text, $24::bigint,
	$25::text::timestamptz, $26::text::timestamptz, $27::text::timestamptz,
	$28::text)
