-- Drops an open submission and its parts. $1 submission, $2 owner. A row when
-- it was there.
WITH s AS (
	DELETE FROM sortie.submission AS s
	WHERE s.submission_id = $1::uuid AND s.owner_id = $2::int
	RETURNING s.submission_id),
t AS (
	DELETE FROM sortie.staged AS t USING s
	WHERE t.submission_id = s.submission_id)
SELECT s.submission_id FROM s
