-- Which of the files $1 in the blob directory nobody needs: not recorded, or
-- recorded more than a day ago and used by no job (these are forgotten here).
WITH u AS (SELECT h FROM unnest($1::bytea[]) AS h),
d AS (
	DELETE FROM sortie.blob AS b USING u
	WHERE b.sha256 = u.h AND b.put_at < now() - interval '1 day'
	AND NOT EXISTS (SELECT 1 FROM sortie.blob_use AS x
		WHERE x.sha256 = u.h)
	RETURNING b.sha256)
SELECT d.sha256 FROM d
UNION ALL
SELECT u.h FROM u
WHERE NOT EXISTS (SELECT 1 FROM sortie.blob AS b WHERE b.sha256 = u.h)
