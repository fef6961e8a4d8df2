-- Whether the database can be relied on, as /readyz says it. $1 it is the
-- embedded one, of which nobody expects a standby. One row: the reply's JSON.
WITH seen AS (
	SELECT (SELECT max(number) FROM sortie.migration) AS schema,
		current_setting('synchronous_standby_names') <> ''
			AS standby_named,
		current_setting('synchronous_commit') AS sync,
		pg_is_in_recovery() AS recovering
)
SELECT json_build_object('status', 'ready', 'database', true,
	'schema', schema,
	'synchronous_standby', standby_named AND sync NOT IN ('off', 'local'),
	'warnings', to_json(array_remove(ARRAY[
		CASE WHEN NOT $1::bool AND NOT standby_named THEN
			'there is no synchronous standby: a failover may '
			'lose what was acknowledged' END,
		CASE WHEN sync = 'off' THEN
			'synchronous_commit is off: a crash may lose what '
			'was acknowledged' END,
		CASE WHEN recovering THEN
			'the database is a standby: nothing can be changed'
		END], NULL)))::text
FROM seen;
