#!/bin/sh
# Workflows by HTTP: made of dags and documents, watched, changed, ended.
. "${0%/*}/lib.sh"
. "$here/lib-workflows.sh"

start_server

# ends WORKFLOW STATE: waits for its end by a long poll.
ends()
{
	call GET "$v/workflows/$1?wait=30"
	is "$(of .state)" "$2" "workflow $1: $2"
}

# Dags
dag='{"jobs":{"src":{"noop":true},"work":{"shell":"cat \"$IN\" >\"$OUT\""},"end":{"shell":"cat \"$OUT\""}},
	"datasets":[{"from":"src","to":"work","tag":"IN","name":"in.txt","directory":"/nowhere","datatype":"TXT"},
	{"from":"work","to":"end","tag":"OUT","name":"out.txt","directory":"/nowhere","datatype":"TXT"}]}'
call PUT "$v/dags/d?description=two+steps" "$dag"
is "$status $(of '[.version, .jobs, .edges] | join(" ")')" "201 1 3 2" "a dag is stored"
like "$(of '.warnings[0]')" '*"TXT"*' "with a warning of an unknown datatype"
call PUT $v/dags/d "$dag"
is "$status $(of .version)" "200 1" "the same again is the same version"
refuse "no workflow before the datatype is there" 400 '*TXT*' POST $v/workflows '{"dag":"d"}'
call PUT $v/datatypes/TXT '{"ext":".txt"}'
call PUT $v/dags/d "$(echo "$dag" | tr -d '\n\t')"
is "$status $(of '[.version, (.warnings | length)] | join(" ")')" "201 2 0" "another text is the next version"
call GET $v/dags
is "$(of '[.items[] | .name, .version, .versions, .description] | join(" ")')" "d 2 2 two steps" "dags are listed"
call GET "$v/dags/d?version=1"
is "$answer" "$dag" "and come out as they went in"
refuse "no such version" 404 '*version 7*' GET "$v/dags/d?version=7"
refuse "no such dag" 404 '*"e"*' GET $v/dags/e
refuse "a cycle" 400 '*a*b*a*' PUT $v/dags/e '{"jobs":{"a":{"shell":"","after":["b"]},"b":{"shell":"","after":["a"]}}}'
call DELETE "$v/dags/d?version=1"
is "$status" 204 "a version is deleted"

# A workflow of a dag
start_pilot --slots 4
mkdir "$T/data"
echo hello >"$T/data/in.txt"
make '{"dag":"d","name":"first","state":"running","fileinfo":{"src:work":{"name":"in.txt","directory":"'"$T/data"'"},"work:end":{"name":"out.txt","directory":"'"$T/data"'"}}}'
is "$status $(of '[.name, .state, .jobs, .created] | join(" ")')" "201 first running 3 true" "a workflow is made of a dag"
ends "$flow" finished
is "$(of '[.jobs, .ended, .bad, .dag, .dag_version] | join(" ")')" "3 3 0 d 2" "and counts its jobs"
is "$(cat "$T/data/out.txt")" hello "its jobs made their files"
call GET $v/workflows/"$flow"/jobs
is "$(of '[.items[] | .name + ":" + .state] | join(" ")')" "src:finished work:finished end:finished" "its jobs are listed"
call GET $v/workflows/"$flow"/graph
is "$(of '[.edges[] | .from + ">" + .to + ":" + .on] | sort | join(" ")')" \
	"src>work:success work>end:success" "its graph is told"
call GET "$v/datasets?workflow=$flow"
is "$(of '[.items[] | .name + ":" + .state] | sort | join(" ")')" "in.txt:ready out.txt:ready" "its datasets are ready"

# Documents, conditions
make '{"name":"second","jobs":{"a":{"shell":"exit 3","allow_failure":true},"b":{"shell":"true","after":["a"]},"c":{"shell":"true","after":[{"job":"a","on":"failure"}]}}}'
second=$flow
ends "$flow" finished
call GET $v/workflows/"$flow"/jobs
is "$(of '[.items[] | .name + ":" + .state] | join(" ")')" "a:failed b:skipped c:finished" "conditions decide"
make '{"jobs":{"a":{"shell":"exit 3"}}}'
ends "$flow" failed
call POST $v/workflows/"$flow"/retry
is "$status $(of .state)" "200 running" "what failed is tried again"
ends "$flow" failed
is "$(of .generation)" 1 "and fails again"

# Held, started, cancelled
make '{"state":"held","jobs":{"a":{"shell":"true"},"b":{"shell":"sleep 100","after":["a"]}}}'
is "$(of .state)" held "a workflow may be held"
call POST $v/workflows/"$flow"/start
is "$status $(of .state)" "200 running" "and started"
refuse "but not twice" 409 '*' POST $v/workflows/"$flow"/start
call GET "$v/workflows/$flow?wait=30&seen_ended=0"
is "$(of .ended)" 1 "a wait ends with a job"
call POST $v/workflows/"$flow"/cancel
is "$status" 200 "it is cancelled"
ends "$flow" cancelled
refuse "an ended one is not cancelled" 409 '*' POST $v/workflows/"$flow"/cancel

# Open ones
make '{"open":true,"name":"open","env":{"X":"1"},"jobs":{"a":{"shell":"test $X = 1"}}}'
call POST $v/workflows/"$flow"/jobs '{"jobs":{"b":{"shell":"test $X = 1","after":["a"]}}}'
is "$status $(of .jobs)" "201 2" "jobs are added to an open one"
refuse "with names of their own" 409 '*"a"*' POST $v/workflows/"$flow"/jobs '{"jobs":{"a":{"shell":"true"}}}'
refuse "after jobs that are there" 400 '*"z"*' POST $v/workflows/"$flow"/jobs '{"jobs":{"d":{"shell":"true","after":["z"]}}}'
call PATCH $v/workflows/"$flow" '{"name":"still open","max_running":1}'
is "$status $(of '[.name, .max_running] | join(" ")')" "200 still open 1" "it is adjusted"
call POST $v/workflows/"$flow"/close
is "$status" 200 "it is closed"
ends "$flow" finished
refuse "and takes no more" 409 '*' POST $v/workflows/"$flow"/jobs '{"jobs":{"e":{"shell":"true"}}}'
make '{"open":true,"jobs":{}}'
is "$status" 201 "an open one may begin empty"
call POST $v/workflows/"$flow"/close
ends "$flow" finished

# Who waits hears of changes by hand at once. Without being told, twenty who wait
# would look again one after the other, within two seconds.
waits_are()
{
	[ "$(get /metrics | sed -n 's/^sortie_long_polls //p')" = "$1" ]
}

# hears CLAIM FILTER WANT METHOD PATH [BODY]: from $flow, which is watched.
hears()
{
	heard=$1 filter=$2 want=$3
	shift 3
	watched="$v/workflows/$flow?wait=[21-40]&seen_ended=$(get "$v/workflows/$flow" | jq .ended)"
	curl -sZ --parallel-immediate --unix-socket "$sock" \
		-H "Authorization: Bearer $token" "http://sortie$watched" >"$T/heard" &
	wait_until 10 waits_are 20
	call "$@"
	now_cs
	was=$now
	wait $!
	now_cs
	is "$(jq -r "$filter" "$T/heard" | sort | uniq -c | xargs)" "20 $want" "$heard is heard of"
	[ $((now - was)) -le 150 ] || fail "by all at once" "after $((now - was)) hundredths of a second"
}

# changes VERB: of the jobs of $flow.
changes()
{
	printf '{"action":"%s","jobs":"%s"}' "$1" "$first"
}

make '{"open":true,"jobs":{"a":{"shell":"true","site":"none"},"b":{"shell":"true","site":"none"}}}'
hears "a job that is cancelled" '"\(.ended) \(.state)"' "1 running" POST $v/jobs/actions "$(changes cancel)"
hears "one that is tried again" '"\(.ended) \(.state)"' "0 running" POST $v/jobs/actions "$(changes retry)"
hears "a workflow that is cancelled" .state cancelled POST $v/workflows/"$flow"/cancel
make '{"open":true,"jobs":{"a":{"noop":true}}}'
hears "one that is closed" .state finished POST $v/workflows/"$flow"/close
make '{"state":"held","jobs":{"a":{"noop":true}}}'
hears "one that is started" .state finished POST $v/workflows/"$flow"/start
make '{"state":"held","jobs":{"a":{"shell":"true"}}}'
hears "one that is deleted" .error.code not_found DELETE $v/workflows/"$flow?cancel=1"

# Twice the same
call POST $v/workflows '{"jobs":{"a":{"shell":"true"}}}' -H 'Idempotency-Key: k1'
one="$status $(of .created) $(of .number)"
call POST $v/workflows '{"jobs":{"a":{"shell":"true"}}}' -H 'Idempotency-Key: k1'
is "$one / $status $(of .created) $(of .number)" \
	"201 true $(of .number) / 200 false $(of .number)" "a repeated request makes nothing new"
call POST $v/workflows '{"jobs":{"b":{"shell":"true"}}}' -H 'Idempotency-Key: k1'
is "$status" 422 "another one with its key is refused"

# Lists
call GET "$v/workflows?name=second"
is "$(of '[.items[].number] | join(" ")')" "$second" "lists by name"
call GET "$v/workflows?dag=d&state=finished"
is "$(of '[.items[].name] | join(" ")')" "first" "by dag and state"
call GET "$v/workflows?page_size=1"
[ -n "$(of '.next // empty')" ] && pass "by pages" || fail "by pages" "$answer"
refuse "no state" 400 '*running*' GET "$v/workflows?state=done"
call GET "$v/jobs?workflow=$second"
is "$(of '.items | length')" 3 "and jobs by workflow"
call GET "$v/workflows/$(get $v/workflows/"$second" | jq -r .id)"
is "$(of .number)" "$second" "a UUID names it"
refuse "no such workflow" 404 '*workflow 999*' GET $v/workflows/999
refuse "nor its jobs" 404 '*workflow 999*' GET $v/workflows/999/jobs
refuse "nor its graph" 404 '*workflow 999*' GET $v/workflows/999/graph
refuse "nor its start" 404 '*' POST $v/workflows/999/start
call DELETE $v/workflows/"$second"
is "$status" 204 "an ended one is deleted"
within 10 "and is gone" eval 'call GET $v/workflows/"$second"; [ "$status" = 404 ]'

# What is wrong
refuse "nothing to do" 400 '*dag*jobs*' POST $v/workflows '{"name":"x"}'
refuse "an unknown key" 400 '*jobz*' POST $v/workflows '{"jobz":{}}'
refuse "an unknown dag" 404 '*"nope"*' POST $v/workflows '{"dag":"nope"}'
refuse "a node that nothing says how to run" 400 '*"a"*' POST $v/workflows '{"jobs":{"a":{}}}'
refuse "an unknown job in after" 400 '*"a"*"z"*' POST $v/workflows '{"jobs":{"a":{"shell":"true","after":["z"]}}}'
refuse "a job's wrong key" 400 '*"a"*prio*' POST $v/workflows '{"jobs":{"a":{"shell":"true","prio":1}}}'
refuse "replicas" 400 '*"a"*matrix*' POST $v/workflows '{"jobs":{"a":{"shell":"true","replicas":2}}}'
refuse "a fileinfo of no edge" 400 '*x:y*' POST $v/workflows '{"dag":"d","fileinfo":{"x:y":{"name":"z"}}}'
refuse "an address that is none" 400 '*callback*' POST $v/workflows '{"jobs":{"a":{"shell":"true"}},"callback":"file:///etc/passwd"}'
refuse "an unknown limit" 400 '*"a"*maya*' POST $v/workflows '{"jobs":{"a":{"shell":"true","limits":["maya"]}}}'
refuse "two producers" 400 '*/d/x*' POST $v/workflows '{"jobs":{"a":{"shell":"true"},"b":{"shell":"true"},"c":{"shell":"true"}},
	"datasets":[{"from":"a","to":"c","name":"x","directory":"/d"},{"from":"b","to":"c","name":"x","directory":"/d"}]}'
finish
