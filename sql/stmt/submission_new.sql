-- Opens a submission in parts. $1 id, $2 owner. Opening it again is fine.
INSERT INTO sortie.submission AS s (submission_id, owner_id)
VALUES ($1::uuid, $2::int)
ON CONFLICT (submission_id) DO UPDATE SET created_at = now()
RETURNING s.submission_id
