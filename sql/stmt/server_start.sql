-- A server begins to serve. $1 host, $2 url, $3 version. Returns its number
-- and its bucket. Takes the advisory lock 7005.
SELECT s.server, s.bucket
FROM sortie.server_start_1($1::text, $2::text, $3::text) AS s
