-- After a restore: another identity, so that pilots keep what they run, and
-- another key, so that tokens of pilots that the database has forgotten are
-- refused. Returns the new UUID.
UPDATE sortie.cluster
SET id = gen_random_uuid(),
	hmac_key = uuid_send(gen_random_uuid()) ||
		uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
RETURNING id::text;
