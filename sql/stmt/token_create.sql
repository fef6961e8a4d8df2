-- Makes a token. $1 SHA-256, $2 role, $3 owner's name, $4 the token's name,
-- $5 names of projects that it is bound to, $6 everybody, $7 seconds until it
-- expires or NULL, $8 id of the token that makes it or NULL.
-- It does not outlive that one, unless that is an administrator's.
-- Owner and projects come into being here where they are new. Returns the
-- token as token_list shows it.
WITH the_owner AS (
	INSERT INTO sortie.owner AS o (name) VALUES ($3::text)
	ON CONFLICT (name) DO UPDATE SET name = excluded.name
	RETURNING o.owner_id, o.name
), the_project AS (
	INSERT INTO sortie.project AS p (name)
	SELECT DISTINCT n FROM unnest($5::text[]) AS n ORDER BY n
	ON CONFLICT (name) DO UPDATE SET name = excluded.name
	RETURNING p.project_id, p.name
), made AS (
	INSERT INTO sortie.token AS t (hash, role, owner_id, name,
		project_ids, everybody, created_by, expires_at)
	SELECT $1::bytea, $2::sortie.token_role, o.owner_id, $4::text,
		ARRAY(SELECT project_id FROM the_project ORDER BY 1),
		$6::bool, $8::uuid, least(now()
			+ make_interval(secs => $7::bigint),
			(SELECT c.expires_at FROM sortie.token c
			WHERE c.token_id = $8::uuid AND c.role <> 'admin'))
	FROM the_owner o
	RETURNING t.*
)
SELECT json_strip_nulls(json_build_object('id', m.token_id,
	'name', m.name, 'role', m.role, 'owner', o.name,
	'projects', to_json(ARRAY(SELECT name FROM the_project ORDER BY name)),
	'everybody', m.everybody,
	'created_at', sortie.utc_1(m.created_at),
	'expires_at', sortie.utc_1(m.expires_at),
	'created_by', m.created_by))::text
FROM made m, the_owner o;
