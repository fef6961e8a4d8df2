-- How many admin tokens were ever made.
SELECT count(*) FROM sortie.token WHERE role = 'admin';
