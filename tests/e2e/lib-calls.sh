# Talking to the server without the command `sortie`, and asking about jobs.
# Part of lib.sh.

# get PATH: prints the answer's body.
get()
{
	curl -s --unix-socket "$sock" -H "Authorization: Bearer $token" \
		"http://sortie$1"
}

# call METHOD PATH [BODY [CURL-OPTION...]]: sets $status and $answer.
call()
{
	method=$1 path=$2 body=${3-}
	shift 2
	[ $# = 0 ] || shift
	if [ -n "$body" ]; then
		printf '%s' "$body" >"$T/body"
		set -- --data-binary "@$T/body" \
			-H 'Content-Type: application/json' "$@"
	fi
	: >"$T/answer"
	status=$(curl -s -o "$T/answer" -w '%{http_code}' \
		--unix-socket "$sock" -H "Authorization: Bearer $token" \
		-X "$method" "$@" "http://sortie$path")
	answer=$(tr -d '\000' <"$T/answer")
}

# of FILTER: a value of the last answer.
of()
{
	jq -r "$1" "$T/answer"
}

# submit BODY: jobs by POST; $job is the first one's number.
submit()
{
	call POST /api/v1/jobs "$1"
	job=$(of '.first // .jobs[0].number // empty' 2>/dev/null)
	[ "$status" = 201 ] || diag "submission refused ($status): $answer"
}

# field JOB FILTER
field()
{
	get "/api/v1/jobs/$1" | jq -r "$2"
}

# job_is JOB STATE...
job_is()
{
	job_state=$(field "$1" .state)
	shift
	for one; do
		[ "$job_state" = "$one" ] && return 0
	done
	return 1
}

has_ended()
{
	job_is "$1" finished failed timelimit cancelled lost skipped
}

# n_in STATE: how many jobs are in it now.
n_in()
{
	get /api/v1/summary | jq -r ".now.jobs.\"$1\" // 0"
}

counts()
{
	[ "$(n_in "$1")" = "$2" ]
}

# output JOB [STREAM]: the last run's, as bytes.
output()
{
	get "/api/v1/jobs/$1/runs/last/output/${2:-stdout}"
}

output_is()
{
	[ "$(output "$1")" = "$2" ]
}

# order_of FILTER: the jobs in the order of their grants.
grant_order()
{
	get "/api/v1/jobs?page_size=1000" | jq -r '.items[].number' |
		while read -r n; do
			get "/api/v1/jobs/$n" | jq -r \
				'.runs[] | [.granted_at, .started_at // "", '"$1"'] | @tsv'
		done | sort | cut -f 3- | tr '\n' ' ' | sed 's/ $//'
}

# A pilot made of calls. fake_pilot NAME SLOTS [MEMBERS]: sets $pilot_id and
# $pilot_token; $request counts its calls that may bring grants.
fake_pilot()
{
	saved=$token
	token=$(cat "$join_token_file")
	call POST /api/v1/pilots "{\"protocol\":1,\"version\":\"0.1.0\",
		\"host\":\"$1\",\"slots\":$2,\"cores\":$2,\"one_user\":true,
		\"memory\":1073741824,\"uid\":$(id -u)${3:+,$3}}"
	token=$saved
	pilot_id=$(of .pilot)
	pilot_token=$(of .token)
	cluster=$(of .cluster)
	request=0
}

# talk METHOD PATH-BELOW-THE-PILOT [BODY]
talk()
{
	saved=$token
	token=$pilot_token
	call "$1" "/api/v1/pilots/$pilot_id$2" "${3-}"
	token=$saved
}

# claim SLOTS [WAIT [REQUEST]]: sets $answer; grants by `of`.
claim()
{
	[ $# -ge 3 ] || request=$((request + 1))
	talk POST /claim "{\"request\":${3:-$request},\"free\":{\"slots\":$1,
		\"cores\":$1,\"memory\":1073741824},\"wait\":${2:-0}}"
}

# run_of N: the Nth grant of the last answer as {"run","job"} members.
grant()
{
	run=$(of ".grants[${1:-0}].run // empty")
	job=$(of ".grants[${1:-0}].job // empty")
}

# end_run RUN JOB [STATE [EXIT]]
end_run()
{
	talk POST /report "{\"ends\":[{\"run\":\"$1\",\"job\":$2,
		\"state\":\"${3:-finished}\",\"exit_code\":${4:-0},\"ago_ms\":0,
		\"wall_ms\":1,\"started\":true}]}"
}
