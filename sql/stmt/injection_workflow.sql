-- Makes a workflow of a file that an injector found: $1 to $37 as for
-- workflow_create, then stream, path, version, site, size, times of change,
-- first sight and completeness, datatype (sortie.injection_workflow_1).
-- Returns the answer as JSON. Locks the injection, the dataset, the new
-- workflow, its project.
SELECT sortie.injection_workflow_1($1::text, $2::bytea, $3::int, $4::bigint,
	$5::bigint, $6::int, $7::int, $8::json, $9::int[], $10::int[], $11::int[], $12::bool[],
	$13::text[]::timestamptz[], $14::text[], $15::text[], $16::text[],
	$17::text[], $18::text[], $19::text[], $20::bool[], $21::bool[],
	$22::bool[], $23::int[], $24::int[], $25::int[], $26::text[]::"char"[],
	$27::text[], $28::text[], $29::text[], $30::text[], $31::text[],
	$32::text[], $33::text[], $34::int[], $35::int[],
	$36::text[]::"char"[], $37::text[],
	$38::text, $39::text, $40::int, $41::text, $42::bigint,
	$43::text::timestamptz, $44::text::timestamptz, $45::text::timestamptz,
	$46::text)
