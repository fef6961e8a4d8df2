-- Keeps a pilot free for each big job that has waited $1 seconds. Takes the
-- grant lane's lock, then locks pilots.
SELECT sortie.reserve_1($1::int)
