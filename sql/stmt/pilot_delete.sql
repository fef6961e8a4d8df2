-- Forgets ended pilots.
-- $1 owner id (NULL: administrators), $2 numbers.
-- Result: a row for each: pilot, code and message (NULL: done), what and number
-- (NULL). Locks: pilots.
SELECT pilot, code, message, NULL AS what, NULL AS number
FROM sortie.pilot_delete_1($1::int, $2::bigint[])
