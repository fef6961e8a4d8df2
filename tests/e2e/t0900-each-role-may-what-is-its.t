#!/bin/sh
# Tokens and roles: who may do what, and what everybody is refused.
. "${0%/*}/lib.sh"

start_server
admin=$token
# make ROLE OWNER [MEMBERS]: prints the token
make()
{
	token=$admin
	call POST /api/v1/tokens "{\"name\":\"t\",\"role\":\"$1\",\"owner\":\"$2\"${3:+,$3}}"
	of .token
	token_id=$(of .id)
}
alice=$(make user alice)
bob=$(make user bob)
reader=$(make reader alice)
bound=$(make user alice '"projects":["lab"]')
join=$(make join alice)
like "$alice $join" "st_* sj_*" "tokens are made"

# may WHO WANT METHOD PATH [BODY]
may()
{
	who=$1 want=$2
	shift 2
	eval "token=\$$who"
	call "$@"
	is "$status" "$want" "$who: $1 $2"
	token=$admin
}
none= wrong=st_000000000000000000000000000000000000000000
for who in none wrong; do
	for path in /api/v1/jobs /api/v1/pilots /api/v1/whoami /api/v1/tokens /api/v1/summary; do
		may $who 401 GET $path
	done
	may $who 401 POST /api/v1/jobs '{"argv":["true"]}'
	may $who 200 GET /healthz
	may $who 200 GET /openapi.json
done
may alice 201 POST /api/v1/jobs '{"argv":["true"],"project":"lab"}'
may bound 201 POST /api/v1/jobs '{"argv":["true"],"project":"lab"}'
may bound 403 POST /api/v1/jobs '{"argv":["true"],"project":"other"}'
may reader 403 POST /api/v1/jobs '{"argv":["true"]}'
may join 403 POST /api/v1/jobs '{"argv":["true"]}'
may join 403 GET /api/v1/jobs
may bob 201 POST /api/v1/jobs '{"argv":["true"]}'
may alice 201 POST /api/v1/jobs '{"argv":["true"],"project":"other"}'
may alice 200 GET /api/v1/jobs/1
may reader 200 GET /api/v1/jobs/1
may bob 404 GET /api/v1/jobs/1
may bound 200 GET /api/v1/jobs/1
may bound 404 GET /api/v1/jobs/4
may admin 200 GET /api/v1/jobs/1
may bob 200 GET /api/v1/jobs
is "$(of '.items | length')" 1 "a list has one's own jobs only"
may bob 200 POST /api/v1/jobs/actions '{"action":"cancel","jobs":"1"}'
is "$(of '.refused[0].code')" not_found "others' jobs are not to be acted on"
may reader 403 POST /api/v1/jobs/actions '{"action":"cancel","jobs":"1"}'
may alice 403 PUT /api/v1/limits/x '{"capacity":1}'
may alice 403 PUT /api/v1/sites/x '{"name":"x"}'
may alice 403 PUT /api/v1/jobtypes/x '{"max_running":1}'
may alice 403 POST /api/v1/tokens '{"name":"x","role":"admin","owner":"alice"}'
may alice 201 POST /api/v1/tokens '{"name":"x","role":"reader","owner":"alice"}'
may alice 403 POST /api/v1/tokens '{"name":"x","role":"user","owner":"bob"}'
may alice 403 POST /api/v1/pilots '{"protocol":1,"version":"0","host":"h","slots":1,"cores":1,"memory":0}'
may reader 403 PUT /api/v1/datatypes/T '{}'
may alice 201 PUT /api/v1/datatypes/T '{}'
may bob 403 PUT /api/v1/datatypes/T '{}'
may reader 200 GET /api/v1/datatypes
may reader 403 POST /api/v1/datasets '{"path":"/d"}'
may join 403 GET /api/v1/datasets
may alice 201 POST /api/v1/datasets '{"path":"/d","project":"lab"}'
may alice 201 POST /api/v1/datasets '{"path":"/e"}'
may bound 403 POST /api/v1/datasets '{"path":"/f","project":"other"}'
may bound 200 GET /api/v1/datasets/1
may bound 404 GET /api/v1/datasets/2
may reader 200 GET /api/v1/datasets/2
may bob 404 GET /api/v1/datasets/2
may bob 404 PATCH /api/v1/datasets/2 '{"tag":"x"}'
may reader 403 DELETE /api/v1/datasets/2
may alice 204 DELETE /api/v1/datasets/2
may reader 403 POST /api/v1/events '{"name":"a","text":"b"}'
may reader 403 POST /api/v1/tokens '{"name":"x","role":"reader","owner":"alice"}'
may alice 403 POST /api/v1/tokens '{"role":"reader","everybody":true}'
may alice 400 POST /api/v1/tokens '{"role":"user","everybody":true}'

# A pilot of alice's gets alice's jobs only, and acts for nobody else.
join_token_file=$T/join-of-alice
echo "$join" >"$join_token_file"
fake_pilot hers 10
claim 10
is "$(of '[.grants[].owner] | unique | join(" ")')" alice \
	"a user's pilot gets that user's jobs"
grant
run_token=$(of '.grants[0].token')
pilot_of_alice=$pilot_token alices_pilot=$pilot_id
fake_pilot again 1
may pilot_of_alice 403 POST "/api/v1/pilots/$pilot_id/claim" \
	'{"request":1,"free":{"slots":1,"cores":1,"memory":0},"wait":0}'
may pilot_of_alice 403 GET /api/v1/jobs
may alice 403 POST "/api/v1/pilots/$alices_pilot/claim" \
	'{"request":9,"free":{"slots":1,"cores":1,"memory":0},"wait":0}'

# Revoked and expired.
token=$admin
call POST /api/v1/tokens '{"name":"gone","role":"user","owner":"carol"}'
carol=$(of .token) carol_id=$(of .id)
may carol 200 GET /api/v1/jobs
may admin 204 DELETE "/api/v1/tokens/$carol_id"
may carol 401 GET /api/v1/jobs
call POST /api/v1/tokens '{"name":"short","role":"user","owner":"carol","expires_s":1}'
short=$(of .token)
expired()
{
	token=$short
	call GET /api/v1/jobs
	token=$admin
	[ "$status" = 401 ]
}
within 15 "a token ends at its time" expired
call POST /api/v1/tokens '{"name":"long","role":"user","owner":"carol","expires_s":1000}'
end=$(of .expires_at) long_id=$(of .id)
token=$(of .token)
call POST /api/v1/tokens '{"name":"longer","role":"reader","expires_s":9000}'
is "$(of .expires_at) $(of .created_by)" "$end $long_id" "what it makes does not outlive it"
call POST /api/v1/tokens '{"name":"for ever","role":"join"}'
is "$(of .expires_at)" "$end" "nor for ever"
token=$admin
get /api/v1/tokens >"$T/tokens"
nok "no list tells a secret" grep -q 'st_[0-9a-zA-Z]' "$T/tokens"
nok "no log tells one either" grep -rqE 's[tj]_[0-9a-zA-Z_-]{20}' "$T/server-s.out"
exits 0 "the command lists tokens" sortie token list
ok "and makes one" sortie token create --name c --role reader --owner alice
finish
