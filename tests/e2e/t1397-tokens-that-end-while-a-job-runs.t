#!/bin/sh
# The tokens that a job was submitted and its pilot registered with expire or
# are revoked while it runs: the run goes on and its end counts.
. "${0%/*}/lib.sh"

start_server --heartbeat 1
admin=$token
call POST /api/v1/tokens '{"name":"brief","role":"user","owner":"ann","expires_s":3}'
is "$status" 201 "a user's token is made for 3 s"
ann=$(of .token)
call POST /api/v1/tokens '{"name":"gate","role":"join","everybody":true}'
join_id=$(of .id)
of .token >"$T/join"
chmod 600 "$T/join"
join_token_file=$T/join
start_pilot --slots 1
mkfifo "$T/go"
token=$ann
submit "{\"shell\":\"read x <$T/go; echo done\"}"
within 3 "its job runs" job_is "$job" running
refused()
{
	call GET "/api/v1/jobs/$job" && [ "$status" = 401 ]
}
within 20 "the token expires" refused
token=$admin
call DELETE "/api/v1/tokens/$join_id"
is "$status" 204 "the pilot's join token is revoked"
throughout 3 "the job runs on" job_is "$job" running
tell "$T/go"
within 10 "and ends" job_is "$job" finished
is "$(output "$job") $(field "$job" .attempts)" "done 1" "with its output"
submit '{"argv":["true"]}'
within 10 "the pilot works on" job_is "$job" finished
nok "another pilot cannot join with it" timeout 15 sortie-pilot \
	--url "$SORTIE_URL" --join-token-file "$T/join" --spool "$T/late" \
	--one-user --cycles 1
finish
