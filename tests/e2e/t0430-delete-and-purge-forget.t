#!/bin/sh
# delete refuses what lives, purge takes what is old enough, retention does it
# by itself.
. "${0%/*}/lib.sh"

start_server --retention 1000000
start_pilot --slots 2
submit '[{"shell":"echo x; echo meta: a=1","key":"k","tags":["t"],"replicas":1},
	{"argv":["false"]},{"argv":["sleep","1000"]}]'
within 10 "some end" eval 'job_is 1 finished && job_is 2 failed && job_is 3 running'
exits 1 "a live job is not deleted" sortie job delete 3
ok "but cancelled and deleted when told so" sortie job delete --cancel 3
gone_job()
{
	call GET "/api/v1/jobs/$1"
	[ "$status" = 404 ]
}
within 20 "once it has ended it goes" gone_job 3
call POST /api/v1/purge '{"older_s":3600}'
is "$(of .deleted)" 0 "nothing is an hour old"

# With export jobs are told first, and go when that is confirmed.
step()
{
	call POST /api/v1/purge "{\"older_s\":0,\"state\":\"failed\",
		\"export\":true${1:+,\"exported\":\"$1\"}}"
	told=$(tail -n 1 "$T/answer" | jq -r .exported)
	jobs=$(sed '$d' "$T/answer" | jq -c '[.number, (.runs | length)]' |
		tr '\n' ' ')
	gone=$(tail -n 1 "$T/answer" | jq -r .deleted)
}
step
is "$status $jobs$gone" "200 [2,1] 0" "an export tells the job with its run"
sortie job retry 2 >/dev/null
within 10 "it fails again" eval '[ "$(field 2 .attempts)" = 2 ] && job_is 2 failed'
step "$told"
is "$jobs$gone" "[2,2] 0" "what became of it since is told before it goes"
step "$told"
is "$status $jobs$gone $told" "200 1 null" "then it goes, and there is no more"
call POST /api/v1/purge '{"older_s":0,"export":true,"exported":"1:2:3;4"}'
like "$status $(of .error.message)" \
	'400 "exported" must be what the step before*' \
	"a wrong confirmation is refused by name"
submit '{"argv":["false"]}'
failed=$job
within 10 "another fails" job_is "$failed" failed
call POST /api/v1/purge '{"older_s":0,"state":"failed"}'
is "$(of .deleted)" 1 "purge takes one state"
ok "failed is gone" gone_job "$failed"
exits 0 "the command purges, too" sortie purge --older 0 --export "$T/kept"
within 5 "all is gone" gone_job 1
is "$(jq -c '[.number, .key, .tags.t, .meta[0].a, .runs[0].state,
	.definition.shell, (.events | type)]' "$T/kept")" \
	'[1,"k","true","1","finished","echo x; echo meta: a=1","array"]' \
	"and keeps a line of what it was"
submit '{"argv":["true"],"key":"k"}'
is "$status $(of '.jobs[0].created')" "201 true" "its key is free again"
within 10 "it runs" has_ended "$job"
ok "a project keeps so many" sortie project set brief --keep-last 2
sortie job submit -q --wait --project brief -N 5 -j '{"argv":["true"]}' >/dev/null
kept()
{
	[ "$(sortie job list -q --project brief | sort -n | tr '\n' ' ')" = "$1" ]
}
last=$(sortie job list -q --project brief | sort -n | tail -n 2 | tr '\n' ' ')
stop_server
start_server --retention 600
query "UPDATE sortie.job SET submitted_at = submitted_at - interval '1 hour' WHERE number = $job"
query "UPDATE sortie.ended SET ended_at = ended_at - interval '1 hour' WHERE number = $job"
# It looks every 30 s.
within 60 "retention forgets by itself" gone_job "$job"
within 60 "and all but a project's last ones" kept "$last"
finish
