-- A batch of pieces of output (sortie.output_put_1). $1 head, $2 tail in
-- bytes, then arrays. Returns index, what became of it, bytes that are there.
SELECT o.idx, o.what, o.has
FROM sortie.output_put_1($1::bigint, $2::bigint, $3::bigint[], $4::bigint[],
	$5::bigint[], $6::smallint[], $7::bigint[], $8::int[], $9::bytea[],
	$10::bytea[]) AS o
