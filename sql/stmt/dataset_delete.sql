-- Marks a dataset as deleted.
-- $1 to $6 as for dataset_show, $7 owner id of who does it.
-- Result: one row: whether there is such a dataset. Locks: the dataset.
SELECT sortie.dataset_delete_2($7::int, $1::int, $2::int[],
	sortie.dataset_ref_1($1::int, $2::int[], $3::bigint, $4::uuid,
	$5::text, $6::text))
