-- A pilot registers (sortie.pilot_register_1). Returns number, id and the
-- site's definition. Takes the fit lock (7004), then locks the predecessor.
SELECT p.pilot, p.id, p.site
FROM sortie.pilot_register_1($1::int, $2::bigint, $3::bigint, $4::bigint,
	$5::bigint, $6::int, $7::bool, $8::int[], $9::text, $10::text,
	$11::text[], $12::jsonb, $13::text[], $14::text[], $15::int, $16::int,
	$17::bigint, $18::text, $19::text, $20::bigint, $21::bigint) AS p
