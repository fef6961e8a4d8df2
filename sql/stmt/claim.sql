-- A batch of claims (sortie.claim_1 says what the rows are). Takes the grant
-- lane's lock, then locks pilots, queued jobs, limits.
SELECT c.what, c.req, c.run, c.number, c.id, c.attempt, c.idx, c.priority,
	c.kind, c.ahead, c.name, c.owner, c.project, c.definition
FROM sortie.claim_1($1::int, $2::bigint, $3::bigint, $4::bigint[],
	$5::bigint[], $6::int[], $7::int[], $8::bigint[], $9::int[],
	$10::bigint[]) AS c
