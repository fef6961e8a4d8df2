# Making workflows and asking about them. Sourced behind lib.sh.
v=/api/v1

# refuse CLAIM STATUS GLOB METHOD PATH [BODY]: GLOB is of the message.
refuse()
{
	call "$4" "$5" "${6-}"
	if [ "$status" = "$2" ]; then
		like "$(of .error.message)" "$3" "$1"
	else
		fail "$1" "status $status: $answer"
	fi
}

# make BODY: a workflow; $flow is its number, $first that of its first job.
make()
{
	call POST $v/workflows "$1"
	flow=$(of '.number // empty') first=$(of '.first // empty')
	[ "$status" = 201 ] || diag "refused ($status): $answer"
}

# act WORKFLOW VERB
act()
{
	call POST "$v/workflows/$1/$2"
	[ "$status" = 200 ] || diag "$2 refused ($status): $answer"
}

# flow_is WORKFLOW STATE
flow_is()
{
	[ "$(get "$v/workflows/$1" | jq -r .state)" = "$2" ]
}

# states WORKFLOW: of all its jobs, in order of their numbers.
states()
{
	get "$v/workflows/$1/jobs?page_size=1000" |
		jq -r '[.items[] | .name + ":" + .state] | join(" ")'
}

states_are()
{
	[ "$(states "$1")" = "$2" ]
}

# reach WORKFLOW STATES CLAIM: its jobs get into these states.
reach()
{
	if wait_until 20 states_are "$1" "$2"; then
		pass "$3"
	else
		is "$(states "$1")" "$2" "$3"
	fi
}

# ends WORKFLOW STATE CLAIM [STATES]: how it ends, and how each of its jobs.
ends()
{
	if ! wait_until 40 flow_is "$1" "$2"; then
		fail "$3" "$(get "$v/workflows/$1")" "$(states "$1")"
	elif [ $# -gt 3 ]; then
		is "$(states "$1")" "$4" "$3"
	else
		pass "$3"
	fi
}

# node WORKFLOW NAME [FILTER]: its job's number, or another value.
node()
{
	get "$v/workflows/$1/jobs?page_size=1000" |
		jq -r --arg name "$2" \
		'.items[] | select(.name == $name) | '"${3:-.job}"
}

# A job that waits for go NAME to be called.
gate()
{
	[ -p "$T/gate.$1" ] || mkfifo "$T/gate.$1"
	printf 'read x <%s' "$T/gate.$1"
}

go()
{
	tell "$T/gate.$1"
}
