-- Registers datasets.
-- $1 owner id of who does it, $2 $3 time and salt of UUIDs, $4 a new version of
-- each; arrays: $5 projects' names, $6 sites, $7 paths, $8 names, $9 datatypes,
-- $10 tags, $11 comments, $12 states, $13 sizes, $14 checksums.
-- Result: a row for each, in order: number, id, version, created, state.
-- Locks: datasets by site and path.
SELECT r.number, r.id, r.version, r.created, r.state
FROM sortie.dataset_register_1($1::int, $2::bigint, $3::bigint, $4::bool,
	$5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
	$10::text[], $11::text[], $12::text[], $13::bigint[], $14::text[]) AS r
ORDER BY r.item
