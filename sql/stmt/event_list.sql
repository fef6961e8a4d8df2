-- A page of the feed of events, oldest first.
-- $1 owner id (NULL: administrators), $2 project ids of the token, $3 to $6 the
-- cursor's parts (NULL: the last page), $7 job or NULL, $8 kind or NULL, $9
-- page size.
-- Result: one row: items (NULL: none), next (NULL: as it was), more.
-- Locks: none.
SELECT items, next, more FROM sortie.feed_1($1::int, $2::int[],
	$3::text::xid8, $4::int, $5::bigint, $6::int, $7::bigint, $8::text,
	$9::int)
