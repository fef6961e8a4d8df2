#!/bin/sh
# A cancel, the report of a start and that of an end arrive at one time, many
# times over: each job ends once, as finished or as cancelled, and its run
# says the same.
. "${0%/*}/lib.sh"

start_server
submit '{"argv":["true"],"replicas":40}'
first=$job
fake_pilot p 40
claim 40
is "$(of '.grants | length')" 40 "all are granted"
cp "$T/answer" "$T/grants"

# post TOKEN PATH BODY: in the background.
post()
{
	curl -s --unix-socket "$sock" -H "Authorization: Bearer $1" \
		-H 'Content-Type: application/json' -d "$3" -o "$T/reply.$4" \
		"http://s$2" &
	posts="$posts $!"
}

i=0
while [ $i -lt 40 ]; do
	run=$(jq -r ".grants[$i].run" "$T/grants")
	job=$(jq -r ".grants[$i].job" "$T/grants")
	posts=
	at=/api/v1/pilots/$pilot_id/report
	start="{\"starts\":[{\"run\":\"$run\",\"job\":$job,\"ago_ms\":0,\"host_pid\":1}]}"
	end="{\"ends\":[{\"run\":\"$run\",\"job\":$job,\"state\":\"finished\",\"exit_code\":0,\"ago_ms\":0,\"wall_ms\":1,\"started\":true}]}"
	cancel="{\"action\":\"cancel\",\"jobs\":\"$job\"}"
	case $((i % 3)) in
	0) set -- cancel start end ;;
	1) set -- end cancel start ;;
	2) set -- start end cancel ;;
	esac
	for what; do
		case $what in
		start) post "$pilot_token" $at "$start" "$i.start" ;;
		end) post "$pilot_token" $at "$end" "$i.end" ;;
		cancel) post "$token" /api/v1/jobs/actions "$cancel" "$i.cancel" ;;
		esac
	done
	wait $posts
	i=$((i + 1))
done
is "$(query "SELECT count(*) FROM sortie.ended WHERE state IN
	('finished', 'cancelled')")" 40 "every job has ended"
is "$(query 'SELECT count(*) FROM sortie.live')" 0 "no run is left"
is "$(query "SELECT count(*) FROM sortie.run r JOIN sortie.ended e
	USING (number) WHERE r.state::text = e.state::text")" 40 \
	"each by one run that says the same"
acked=$(cat "$T"/reply.*.end | jq -s '[.[].acked.ends[]] | length')
is "$acked" 40 "every end was acknowledged"

# Delivered before the end, the order counts.
submit '{"argv":["true"]}'
claim 1
grant
call POST /api/v1/jobs/actions "{\"action\":\"cancel\",\"jobs\":\"$job\"}"
talk POST /report "{\"live\":[{\"run\":\"$run\",\"job\":$job}]}"
is "$(of '[.orders[] | "\(.order) \(.run)"] | join(",")')" "cancel $run" \
	"the order names the run"
end_run "$run" "$job" cancelled 143
is "$(field "$job" .state)" cancelled "and the job ends with it"
finish
