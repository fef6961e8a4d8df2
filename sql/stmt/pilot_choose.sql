-- The pilots that an order by host, site or state is meant for.
-- $1 owner id (NULL: administrators), $2 project ids of the token, $3 only
-- numbers below (NULL: all), $4 states, $5 host, $6 site (NULL: any).
-- Result: a row for each of at most 10,000: pilot. Locks: none.
SELECT u.pilot
FROM sortie.pilots_find_1($1::int, $2::int[], true, $3::bigint, 10000,
	$4::text[], $5::text, $6::text, NULL) AS f, unnest(f.numbers) AS u(pilot)
ORDER BY u.pilot
