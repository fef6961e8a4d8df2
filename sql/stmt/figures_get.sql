-- How large the tables are, as the statistics know it, and how far back the
-- oldest snapshot reaches that keeps dead rows alive; of other users' sessions
-- the database tells a server only as much as its role may read.
-- Result: a row per figure: what (rows, dead, bytes, xmin_age, snapshot_s),
-- table ("" for the last two), value. Locks: none.
SELECT f.what, t.relname::text AS of, f.n
FROM pg_stat_user_tables t, LATERAL (VALUES ('rows', t.n_live_tup),
	('dead', t.n_dead_tup), ('bytes', pg_total_relation_size(t.relid)))
	AS f(what, n)
WHERE t.schemaname = 'sortie'
UNION ALL
SELECT 'xmin_age', '', coalesce(max(age(a.xmin)), 0) FROM (
	SELECT s.backend_xmin AS xmin FROM pg_stat_activity s
	WHERE s.pid <> pg_backend_pid()
	UNION ALL SELECT r.xmin FROM pg_replication_slots r
	UNION ALL SELECT p.transaction FROM pg_prepared_xacts p) AS a
UNION ALL
SELECT 'snapshot_s', '', coalesce(max(extract(epoch FROM clock_timestamp()
	- s.xact_start)), 0)::bigint
FROM pg_stat_activity s
WHERE s.backend_xmin IS NOT NULL AND s.pid <> pg_backend_pid()
