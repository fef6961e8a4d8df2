# What the database tests share: a private PostgreSQL with Sortie's schema, and
# TAP.
#
# db_start runs it in a new folder on a Unix socket, as an unprivileged user
# when we are root, and sets PGHOST, PGUSER and PGDATABASE; everything goes when
# the script ends.  Where it cannot be run the whole test is skipped.

db_dir=
db_user=
tap_n=0
tap_bad=0

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

as_db_user() {
	if [ -n "$db_user" ]; then
		runuser -u "$db_user" -- "$@"
	else
		"$@"
	fi
}

db_stop() {
	[ -n "$db_dir" ] || return 0
	as_db_user "$db_bin/pg_ctl" -D "$db_dir/data" -m immediate -w stop \
		>/dev/null 2>&1 || :
	rm -rf "$db_dir"
	db_dir=
}

db_find() {
	db_bin=$(pg_config --bindir 2>/dev/null || :)
	if [ ! -x "$db_bin/initdb" ]; then
		db_bin=
		for dir in /usr/lib/postgresql/*/bin; do
			[ -x "$dir/initdb" ] && db_bin=$dir
		done
	fi
	[ -n "$db_bin" ] || skip_all "there is no PostgreSQL server"
	if [ "$(id -u)" = 0 ]; then
		for user in postgres daemon; do
			id "$user" >/dev/null 2>&1 && db_user=$user && break
		done
		[ -n "$db_user" ] && command -v runuser >/dev/null ||
			skip_all "PostgreSQL does not run as root, and there is no other user"
	fi
}

db_start() {
	db_find
	db_dir=$(mktemp -d "${TMPDIR:-/tmp}/sortie-db.XXXXXX")
	trap db_stop EXIT
	trap 'exit 1' HUP INT TERM
	chmod 711 "$db_dir"
	mkdir "$db_dir/data" "$db_dir/run"
	[ -z "$db_user" ] || chown "$db_user" "$db_dir/data" "$db_dir/run"
	as_db_user "$db_bin/initdb" -D "$db_dir/data" -A trust -E UTF8 \
		--locale=C -U sortie >/dev/null 2>"$db_dir/initdb.log" ||
		skip_all "initdb failed: $(tail -n 1 "$db_dir/initdb.log")"
	cat >>"$db_dir/data/postgresql.conf" <<-END
		listen_addresses = ''
		unix_socket_directories = '$db_dir/run'
		fsync = off
		deadlock_timeout = 100ms
		log_lock_waits = off
		log_min_messages = warning
		max_connections = 30
		jit = off # as for the server's own sessions
	END
	as_db_user "$db_bin/pg_ctl" -D "$db_dir/data" -l "$db_dir/data/log" \
		-w start >/dev/null 2>&1 ||
		skip_all "PostgreSQL does not start: $(tail -n 1 "$db_dir/data/log")"
	unset PGSERVICE PGPORT PGPASSFILE PGOPTIONS
	PGHOST=$db_dir/run PGUSER=sortie PGDATABASE=postgres
	PGOPTIONS='-c client_min_messages=warning'
	export PGHOST PGUSER PGDATABASE PGOPTIONS
	db_new sortie
}

# db_new NAME: a database with the schema and the tests' tools; goes there.
db_new() {
	psql -qXd postgres -c "CREATE DATABASE $1" >/dev/null
	PGDATABASE=$1
	{
		echo 'CREATE SCHEMA sortie; SET check_function_bodies = off;'
		cat "$abs_top_srcdir"/sql/schema/*.sql
		cat "$abs_top_srcdir"/sql/function/*.sql
		cat "$abs_top_srcdir/tests/db/tools.sql"
		cat "$abs_top_srcdir/tests/db/breaches.sql"
	} | psql -qX1 -v ON_ERROR_STOP=1 >"$db_dir/schema.log" 2>&1 || {
		sed 's/^/# /' "$db_dir/schema.log"
		echo "Bail out! the schema cannot be made"
		exit 1
	}
}

# sql QUERY: its rows, unaligned, '|' between columns.
sql() {
	psql -qXAt -v ON_ERROR_STOP=1 -c "$1"
}

ok() {
	tap_n=$((tap_n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_n - $2"
	else
		tap_bad=$((tap_bad + 1))
		echo "not ok $tap_n - $2"
	fi
}

# is GOT WANTED WHAT
is() {
	if [ "$1" = "$2" ]; then
		ok 0 "$3"
	else
		ok 1 "$3"
		printf '%s\n' "$1" | sed 's/^/# got    /'
		printf '%s\n' "$2" | sed 's/^/# wanted /'
	fi
}

# What must hold after anything.
is_sound() {
	is "$(sql 'SELECT * FROM t.breaches() LIMIT 20')" "" "$1: no invariant is broken"
	is "$(grep -c 'deadlock detected' "$db_dir/data/log" || :)" 0 \
		"$1: no deadlock"
}

finish() {
	echo "1..$tap_n"
	[ "$tap_bad" = 0 ]
}
