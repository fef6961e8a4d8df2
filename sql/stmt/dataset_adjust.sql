-- Changes what is known of a dataset.
-- $1 to $6 as for dataset_show, $7 owner id of who does it, $8 what changes
-- (JSON).
-- Result: one row: whether there is such a dataset. Locks: the dataset.
SELECT sortie.dataset_adjust_1($7::int, sortie.dataset_ref_1($1::int,
	$2::int[], $3::bigint, $4::uuid, $5::text, $6::text), $8::json)
