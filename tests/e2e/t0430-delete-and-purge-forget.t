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
call POST /api/v1/purge '{"older_s":0,"state":"failed"}'
is "$(of .deleted)" 1 "purge takes one state"
ok "failed is gone" gone_job 2
exits 0 "the command purges, too" sortie purge --older 0
within 5 "all is gone" gone_job 1
submit '{"argv":["true"],"key":"k"}'
is "$status $(of '.jobs[0].created')" "201 true" "its key is free again"
within 10 "it runs" has_ended "$job"
stop_server
start_server --retention 600
query "UPDATE sortie.job SET submitted_at = submitted_at - interval '1 hour'"
query "UPDATE sortie.ended SET ended_at = ended_at - interval '1 hour'"
# It looks every 30 s.
within 60 "retention forgets by itself" gone_job "$job"
finish
