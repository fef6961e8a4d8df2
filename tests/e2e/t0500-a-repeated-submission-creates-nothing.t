#!/bin/sh
# I8: Idempotency-Key and a job's own key make repeating harmless.
. "${0%/*}/lib.sh"

start_server
n_jobs()
{
	get '/api/v1/jobs?page_size=1000' | jq '.items | length'
}
call POST /api/v1/jobs '{"argv":["true"],"replicas":3}' -H 'Idempotency-Key: one'
is "$status $(of .first)" "201 1" "a submission with a key"
cp "$T/answer" "$T/first"
call POST /api/v1/jobs '{"argv":["true"],"replicas":3}' -H 'Idempotency-Key: one'
ok "repeated it gets the same answer" cmp "$T/first" "$T/answer"
is "$(n_jobs)" 3 "and makes nothing"
call POST /api/v1/jobs '{"argv":["false"]}' -H 'Idempotency-Key: one'
is "$status" 422 "another body under the key is refused"

# The same at the same time.
for turn in 1 2 3 4 5 6 7 8; do
	curl -s -o "$T/same.$turn" --unix-socket "$sock" -X POST \
		-H "Authorization: Bearer $token" -H 'Idempotency-Key: two' \
		-H 'Content-Type: application/json' \
		-d '{"argv":["true"]}' http://s/api/v1/jobs &
	pids="${pids:-} $!"
done
wait $pids
is "$(n_jobs)" 4 "eight at once make one job"
is "$(cat "$T"/same.? | jq .first | sort -u | wc -l)" 1 "and all learn which"

submit '{"argv":["true"],"key":"mine","name":"a"}'
is "$(of '.jobs[0].created')" true "a job with a key of its own"
mine=$job
call POST /api/v1/jobs '{"argv":["true"],"key":"mine","name":"a"}'
is "$status $(of '.jobs[0] | "\(.number) \(.created)"')" "201 $mine false" \
	"the same again is the same job"
call POST /api/v1/jobs '{"argv":["false"],"key":"mine","name":"a"}'
is "$status $(of .error.detail.key) $(of '.error.detail.job') $(of '.error.detail.differs | join(" ")')" \
	"409 mine $mine argv" "another job under the key is refused, with what differs"
call POST /api/v1/jobs '[{"argv":["true"],"key":"new"},{"argv":["false"],"key":"mine"}]'
is "$status" 409 "of a list all or nothing"
is "$(get '/api/v1/jobs?key=new' | jq '.items | length')" 0 "is made"
submit '{"argv":["false"],"key":"mine","project":"other"}'
is "$status" 201 "each project has keys of its own"
call POST /api/v1/jobs '[{"argv":["true"],"key":"mine","name":"a"},{"argv":["true"]}]'
is "$(of '[.jobs[].created] | tostring')" "[false,true]" \
	"old and new may come together"
is "$(n_jobs)" 7 "nothing else was made"
finish
