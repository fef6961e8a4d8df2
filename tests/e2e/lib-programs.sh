# Starting what is tested: servers, pilots, databases. Part of lib.sh.

sock=$T/s
state=$T/state
server_pid=
n_pilots=0
bin=
audited=

# A database that a server has just made, kept for all tests of a run because
# making one takes seconds.
template=${SORTIE_TEST_TEMPLATE:-$build/tests/e2e/template.tar}

make_template()
{
	(
		flock 9
		[ "$template" -nt "$build/server/sortied" ] && exit 0
		mkdir "$T/new" && chmod 711 "$T/new" || exit 1
		sortied --embedded "$T/new/state" --listen "unix:$T/new/s" \
			>"$T/template.out" 2>&1 9>&- &
		pid=$!
		started $pid server
		wait_until 60 answers_or_gone "$T/new/s" $pid
		answers "$T/new/s" && stop_pid $pid || exit 1
		tar -C "$T/new" -cf "$template.$$" state &&
			mv "$template.$$" "$template"
		rm -rf "$T/new"
	) 9>"$template.lock"
}

unpack_template()
{
	[ "$template" -nt "$build/server/sortied" ] || make_template ||
		give_up "a server makes its database" \
			"$(tail -n 20 "$T/template.out")"
	mkdir -p "$1" && chmod 711 "$1" &&
		tar -C "$1" --numeric-owner -xpf "$template"
}

# answers SOCKET
answers()
{
	curl -sf -o /dev/null --unix-socket "$1" http://sortie/readyz
}

answers_or_gone()
{
	answers "$1" || gone "$2"
}

# launch NAME OPTION...: a server at unix:$T/NAME; its pid is in $server_pid.
launch()
{
	name=$1
	shift
	sortied --listen "unix:$T/$name" "$@" >>"$T/server-$name.out" 2>&1 &
	server_pid=$!
	started $server_pid server
	wait_until 30 answers_or_gone "$T/$name" $server_pid
	answers "$T/$name" ||
		give_up "the server $name starts" "sortied $*"
}

# start_server [OPTION...]: with a database of its own, again with the same
# when it ran before; the command and the calls of this test talk to it.
start_server()
{
	[ -d "$state" ] || unpack_template "$T"
	launch s --embedded "$state" "$@"
	use_server "$sock" "$state"
}

# use_server SOCKET STATE-DIRECTORY
use_server()
{
	sock=$1
	SORTIE_URL=unix:$1
	token=$(cat "$2/admin-token")
	SORTIE_TOKEN=$token
	export SORTIE_URL SORTIE_TOKEN
	join_token_file=$2/join-token
	audited="$audited $sock"
}

stop_server()
{
	stop_pid "$server_pid" 20
}

# Start one pilot after the other, each with a spool of its own; its host is
# called p1, p2 ... ($pilot), $pilot_pid is the keeper, $pilot_child the pilot.
launch_pilot()
{
	n_pilots=$((n_pilots + 1))
	pilot=p$n_pilots
	${PILOT_ENV:-} sortie-pilot --url "$SORTIE_URL" \
		--join-token-file "$join_token_file" --spool "$T/$pilot" \
		--log-file "$T/$pilot.log" --host-name "$pilot" --one-user \
		--verbose "$@" >>"$T/$pilot.out" 2>&1 &
	pilot_pid=$!
	started $pilot_pid pilot
}

start_pilot()
{
	launch_pilot "$@"
	wait_until 15 pilot_is "$pilot" idle busy ||
		give_up "the pilot $pilot joins"
	pilot_child=$(children $pilot_pid)
}

children()
{
	cat "/proc/$1/task/$1/children" 2>/dev/null | sed 's/ *$//'
}

# pilot_is HOST STATE...
pilot_is()
{
	get "/api/v1/pilots?host=$1" >"$T/pilot_is"
	pilot_state=$(jq -r '.items[0].state // "unknown"' "$T/pilot_is")
	shift
	for one; do
		[ "$pilot_state" = "$one" ] && return 0
	done
	return 1
}

pilot_number()
{
	get "/api/v1/pilots?host=$1" | jq -r '.items[0].number'
}

pg_bin()
{
	ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 |
		grep . || dirname "$(command -v postgres)"
}

# A PostgreSQL that is not the server's own: sets $database. Root has to
# borrow another user, as PostgreSQL demands.
start_database()
{
	bin=$(pg_bin)
	as_owner=
	mkdir "$T/db"
	if [ "$(id -u)" = 0 ]; then
		as_owner="setpriv --reuid postgres --regid postgres --clear-groups"
		chown postgres "$T/db"
	fi
	chmod 700 "$T/db"
	(cd "$T/db" && $as_owner "$bin/initdb" -D "$T/db/pg" -N -A trust \
		-U sortie -E UTF8 --no-locale) >"$T/initdb.out" 2>&1 ||
		give_up "initdb works" "$(tail -n 5 "$T/initdb.out")"
	chmod 711 "$T/db"
	resume_database
	database="host=$T/db user=sortie dbname=postgres"
}

resume_database()
{
	(cd "$T/db" && exec $as_owner "$bin/postgres" -D "$T/db/pg" \
		-c "unix_socket_directories=$T/db" -c listen_addresses= \
		-c synchronous_commit=on) >>"$T/db.out" 2>&1 &
	database_pid=$!
	started $database_pid other
	wait_until 30 psql_works ||
		give_up "a PostgreSQL of the test's own starts"
}

psql_works()
{
	"$bin/psql" -XqAt -h "$T/db" -U sortie -d postgres -c 'SELECT 1'
}

# query SQL: of the server's own database, or of the test's.
query()
{
	if [ -d "$T/db" ]; then
		"$bin/psql" -XqAt -h "$T/db" -U sortie -d postgres -c "$1"
	else
		"${bin:-$(pg_bin)}/psql" -XqAt -h "$state/run" -U sortie \
			-d sortie -c "$1"
	fi
}

# Each server that still answers, and its database, by its own audit.
audit_all()
{
	for at in $audited; do
		answers "$at" || continue
		audit_once "$at"
		return
	done
}

audit_once()
{
	if [ -d "$T/db" ]; then
		set -- --database "$database"
	else
		set -- --database "host=$state/run user=sortie dbname=sortie"
	fi
	if sortied --audit "$@" >"$T/audit" 2>&1; then
		pass "the audit finds every counter right"
	else
		fail "the audit finds every counter right" \
			"$(tail -n 20 "$T/audit")"
	fi
}
