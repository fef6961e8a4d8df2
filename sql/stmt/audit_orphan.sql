-- Breaches of: what hangs on a job goes with it, and what is named exists.
-- Result: a row for each, at most 20: what is wrong. Locks: none.
SELECT x.what || ' of job ' || x.number || ', which does not exist'
FROM (SELECT DISTINCT 'a run' AS what, number FROM sortie.run
	UNION SELECT 'meta lines', number FROM sortie.run_meta
	UNION SELECT 'output', number FROM sortie.output
	UNION SELECT 'a tag', number FROM sortie.job_tag
	UNION SELECT 'a key', number FROM sortie.job_key
	UNION SELECT 'the use of a file', number FROM sortie.blob_use) AS x
WHERE NOT EXISTS (SELECT 1 FROM sortie.job j WHERE j.number = x.number)
UNION ALL
SELECT 'job ' || u.number || ' uses the file ' || encode(u.sha256, 'hex')
	|| ', which is not there'
FROM sortie.blob_use u
WHERE NOT EXISTS (SELECT 1 FROM sortie.blob b WHERE b.sha256 = u.sha256)
UNION ALL
SELECT 'run ' || r.attempt || ' of job ' || r.number || ' names pilot '
	|| r.pilot || ', which is not known'
FROM sortie.run r
WHERE NOT EXISTS (SELECT 1 FROM sortie.pilot p WHERE p.pilot = r.pilot)
LIMIT 20
