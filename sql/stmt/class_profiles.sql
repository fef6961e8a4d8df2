-- The profiles that fit classes $1. No locks.
SELECT c.class_id, c.profiles
FROM sortie.class AS c
WHERE c.class_id = ANY ($1::int[])
