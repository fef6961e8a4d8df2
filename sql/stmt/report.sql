-- A batch of reports (sortie.report_2 says what the rows are). Locks pilots,
-- live runs, projects, limits.
SELECT r.what, r.rep, r.idx, r.run, r.number, r.id, r.attempt, r.jobidx,
	r.priority, r.kind, r.ahead, r.name, r.owner, r.project, r.definition
FROM sortie.report_2($1::int, $2::bigint, $3::int, $4::bigint[],
	$5::bigint[], $6::bool[], $7::bool[], $8::int[], $9::bigint[],
	$10::bigint[], $11::bigint[], $12::int[], $13::bigint[],
	$14::bigint[], $15::text[]::sortie.run_state[], $16::text[],
	$17::int[], $18::int[], $19::bigint[], $20::bigint[], $21::bool[],
	$22::bigint[], $23::bigint[], $24::bigint[], $25::bigint[],
	$26::bigint[], $27::bytea[], $28::bytea[], $29::smallint[],
	$30::text[], $31::text[], $32::int[], $33::bigint[],
	$34::bigint[]) AS r
