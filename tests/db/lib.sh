# What cases, order and stress have beyond session.sh: short names for what they
# do all the time (tools.sql), and what must hold after anything (breaches.sql).
top=$abs_top_srcdir
. "$top/tests/db/session.sh"

# db_new NAME: a database with the tests' tools; sql goes there from now on.
db_new() {
	make_database "$1" "$top/tests/db/tools.sql" \
		"$top/tests/db/breaches.sql"
	PGDATABASE=$1
	export PGDATABASE
}

db_start() {
	start_database
	PGHOST=$T PGUSER=$user PGOPTIONS='-c client_min_messages=warning'
	PATH=$bin:$PATH
	export PGHOST PGUSER PGOPTIONS PATH
	unset PGSERVICE PGPORT PGPASSFILE
	db_new sortie
}

# sql QUERY: its rows, unaligned, '|' between columns.
sql() {
	psql -qXAt -v ON_ERROR_STOP=1 -c "$1"
}

# ok STATUS CLAIM
ok() {
	if [ "$1" = 0 ]; then
		pass "$2"
	else
		fail "$2"
	fi
}

is_sound() {
	is "$(sql 'SELECT * FROM t.breaches() LIMIT 20')" "" \
		"$1: no invariant is broken"
}
