-- Puts at most $1 unused classes to sleep and forgets profiles without
-- pilots. Takes the fit lock (7004) and locks of classes.
SELECT sortie.class_sleep_1($1::int)
