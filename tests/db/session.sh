# What the tests of the database's functions share: a private PostgreSQL with
# the schema, statements by name, sessions that interleave, TAP.  Sourced.  Each
# test gets a server of its own, which ends with it.
set -u
top=${abs_top_srcdir:-$(cd "${0%/*}/../.." && pwd)}
n_claims=0
T=$(mktemp -d "${TMPDIR:-/tmp}/sortie-db.XXXXXX") || exit 99

skip_all()
{
	echo "1..0 # SKIP $1"
	rm -rf "$T"
	exit 0
}

pg_bin()
{
	for dir in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -Vr) \
		"$(pg_config --bindir 2>/dev/null)"; do
		[ -x "$dir/initdb" ] && echo "$dir" && return
	done
	return 1
}

bin=$(pg_bin) || skip_all "there is no PostgreSQL"
if [ "$(id -u)" = 0 ]; then
	user=postgres
	id -u $user >/dev/null 2>&1 || skip_all "there is no user postgres"
	chown $user "$T"
	as() { (cd "$T" && exec runuser -u $user -- "$@"); }
else
	user=$(id -un)
	as() { (cd "$T" && exec "$@"); }
fi

stop_database()
{
	as "$bin/pg_ctl" -D "$T/pg" -m immediate -s stop >/dev/null 2>&1
	rm -rf "$T"
}
trap stop_database EXIT
trap 'exit 1' HUP INT TERM

run_psql() { "$bin/psql" -XqAt -h "$T" -U "$user" -v ON_ERROR_STOP=1 "$@"; }
# q SQL: its answer, columns between "|".
q() { run_psql -d t -c "$1" 2>&1; }

start_database()
{
	as "$bin/initdb" -D "$T/pg" -A trust -N -E UTF8 --locale=C \
		>"$T/initdb.log" 2>&1 || { cat "$T/initdb.log"; exit 99; }
	as "$bin/pg_ctl" -D "$T/pg" -s -w -l "$T/log" -o "-F \
		-c listen_addresses= -c unix_socket_directories=$T \
		-c shared_buffers=32MB -c autovacuum=off -c jit=off \
		-c deadlock_timeout=200ms" \
		start || { cat "$T/log"; exit 99; }
	make_database t
}

# make_database NAME [FILE...]: with the schema, the functions and the files.
make_database()
{
	run_psql -d postgres -c "CREATE DATABASE $1"
	database=$1
	shift
	{
		echo 'CREATE SCHEMA sortie; SET check_function_bodies = off;'
		cat "$top"/sql/schema/*.sql "$top"/sql/function/*.sql "$@"
	} >"$T/schema.sql"
	run_psql -d "$database" --single-transaction -f - <"$T/schema.sql" ||
		{ echo "Bail out! the schema does not load"; exit 99; }
}

pass() { n_claims=$((n_claims + 1)); echo "ok $n_claims - $1"; }
fail()
{
	n_claims=$((n_claims + 1))
	echo "not ok $n_claims - $1"
	[ $# -gt 1 ] && printf '%s\n' "$2" | sed 's/^/# /'
}
# is GOT WANTED CLAIM
is() { if [ "$1" = "$2" ]; then pass "$3"; else
	fail "$3" "got: $1
wanted: $2"; fi; }
# like GOT PATTERN CLAIM: a pattern of case.
like() { case $1 in $2) pass "$3" ;; *) fail "$3" "got: $1
wanted: $2" ;; esac; }
unlike() { case $1 in $2) fail "$3" "got: $1
unwanted: $2" ;; *) pass "$3" ;; esac; }

# prepared NAME VALUES: SQL that runs a statement of sql/stmt; values as EXECUTE
# takes them.
prepared()
{
	echo "PREPARE $1 AS"
	sed '$s/;$//' "$top/sql/stmt/$1.sql"
	echo ";"
	[ -z "${2-}" ] && echo "EXECUTE $1;" || echo "EXECUTE $1($2);"
}

stmt() { prepared "$@" | run_psql -d t -f - 2>&1; }

# What the checks of the audit find, each behind its name.
audit()
{
	for file in "$top"/sql/stmt/audit_*.sql; do
		case $file in *_begin.sql | *_standby.sql) continue ;; esac
		name=${file##*/}
		printf '\\echo of %s\n' "${name%.sql}"
		prepared "${name%.sql}"
	done | run_psql -d t -v ON_ERROR_STOP=0 -f - 2>&1 |
		sed -n '/^of audit_/ { s/^of //; h; d; }; G
			s/^\(.*\)\n\(.*\)$/\2: \1/p'
}

audit_clean() { is "$(audit)" "" "the audit finds nothing${1:+ $1}"; }

# Sessions that stay open, a and b: open_session NAME, then
#     say NAME SQL    sends it, and waits for the answer, which it prints
#     ask NAME SQL    sends it and goes on; hear NAME waits for the answer
open_session()
{
	mkfifo "$T/in.$1" "$T/out.$1"
	case $1 in
	a) exec 6<>"$T/out.a" 8<>"$T/in.a" ;;
	b) exec 7<>"$T/out.b" 9<>"$T/in.b" ;;
	esac
	"$bin/psql" -XqAt -h "$T" -U "$user" -d t <"$T/in.$1" \
		>"$T/out.$1" 2>&1 6<&- 7<&- 8<&- 9<&- &
	echo 0 >"$T/asked.$1"
}

# Counted in files, because answers are asked for in subshells.
ask()
{
	asked=$(($(cat "$T/asked.$1") + 1))
	echo $asked >"$T/asked.$1"
	case $1 in a) fd=8 ;; b) fd=9 ;; esac
	printf '%s;\n\\echo done-%s\n' "$2" $asked >&$fd
}

# What the session has said since the answer before; the test's own time limit
# ends a wait for one that never comes.
hear()
{
	case $1 in a) fd=6 ;; b) fd=7 ;; esac
	heard_end=done-$(cat "$T/asked.$1") heard=
	while IFS= read -r line <&$fd; do
		case $line in
		"$heard_end") break ;;
		done-*) heard= ;;
		*) heard="$heard$line
" ;;
		esac
	done
	printf '%s' "$heard"
}

say() { ask "$1" "$2"; hear "$1"; }

# Waits until some session waits for a lock.
until_blocked()
{
	deadline=$(($(date +%s) + 20))
	while [ "$(q "SELECT count(*) FROM pg_locks WHERE NOT granted")" = 0 ]; do
		[ "$(date +%s)" -lt $deadline ] || return 1
	done
}

finish()
{
	if grep -q 'deadlock detected' "$T/log"; then
		fail "no deadlock" "$(grep -A6 'deadlock detected' "$T/log")"
	else
		pass "no deadlock"
	fi
	echo "1..$n_claims"
	exit 0
}

# A small world: owners alice (1) and bob (2); class 1 of alice's jobs of type
# "a" in "default", class 2 of bob's of type "b" in "other" with 4 cores, at
# the site "far", with a token of the limit "maya" (2); a server; no pilot.
start_world()
{
	start_database
	q "INSERT INTO sortie.owner (name) VALUES ('alice'), ('bob');
	SELECT sortie.limit_set_1('maya', 2);
	SELECT sortie.class_ensure_1(1, '{\"project\":\"default\",
		\"jobtype\":\"a\"}', 0);
	SELECT sortie.class_ensure_1(2, '{\"project\":\"other\",
		\"jobtype\":\"b\",\"cores\":4,\"site\":\"far\",
		\"limits\":{\"maya\":1}}', 0);
	SELECT sortie.server_start_1('here', '', '1');" >"$T/world" ||
		{ cat "$T/world"; exit 99; }
}

# sql_submit CLASS COUNT [PRIORITY [HELD]]: the SQL that makes jobs of a class,
# which is also the number of its kind, project and owner.
sql_submit()
{
	echo "SELECT first FROM sortie.submit_1(0, 111::bigint << 16 | 28672,
	(-9223372036854775808)::bigint | 5, $2, ARRAY[$1], ARRAY[CASE WHEN
	${4-false} THEN 0 ELSE $2 END::bigint], ARRAY[$1], ARRAY[$2::bigint],
	ARRAY[1], ARRAY[1], ARRAY[0::bigint], ARRAY[0::bigint], ARRAY[$2],
	ARRAY[$1], ARRAY[$1], ARRAY[${3-0}], ARRAY[${4-false}],
	ARRAY[NULL::timestamptz], ARRAY['job of $1'],
	ARRAY['{\"payload\":\"/bin/true\",\"retries\":1}'],
	ARRAY['{\"of\":\"$1\"}'], ARRAY[NULL::text])"
}
submit() { q "$(sql_submit "$@")"; }

# pilot OWNER EVERYBODY SITE SLOTS CORES: its number.
pilot()
{
	q "SELECT pilot FROM sortie.pilot_register_1(0, 1, 100,
	111::bigint << 16 | 28672, (-9223372036854775808)::bigint | 5, $1, $2,
	'{}', 'host', '$3', '{}', '{}', '{}', '{}', $4, $5, 0, '', '1', 0, NULL)"
}

# sql_claim PILOT REQUEST SLOTS CORES: numbers of the granted jobs in order.
sql_claim()
{
	echo "SELECT string_agg(number::text, ',' ORDER BY number)
	FROM sortie.claim_1(1, 1, $2 * 1000 + $1, ARRAY[$1::bigint],
	ARRAY[$2::bigint], ARRAY[$3], ARRAY[$4], ARRAY[0::bigint], ARRAY[0],
	ARRAY[200::bigint]) WHERE what = 'g'"
}
claim() { q "$(sql_claim "$@")"; }

# sql_end JOB STATE EXIT [FILES]: ends the live run of a job as its pilot would
# report it; the number of ends that are recorded.
sql_end()
{
	echo "SELECT count(*) FROM sortie.live l, sortie.report_2(2, 1, 3,
	ARRAY[l.pilot], ARRAY[300::bigint], ARRAY[false], ARRAY[false],
	'{}', '{}', '{}', '{}', ARRAY[1], ARRAY[l.number], ARRAY[l.run],
	ARRAY['$2'::sortie.run_state], ARRAY[''], ARRAY[$3::int],
	ARRAY[NULL::int], ARRAY[0::bigint], ARRAY[5::bigint], ARRAY[true],
	ARRAY[1::bigint], ARRAY[1::bigint], ARRAY[1::bigint],
	ARRAY[2::bigint], ARRAY[0::bigint], ARRAY['hi'::bytea],
	ARRAY[NULL::bytea], ARRAY[0::smallint],
	ARRAY['[\"name=a done\"]'], ARRAY[${4-NULL}::text],
	'{}', '{}', '{}') AS r
	WHERE l.number = $1 AND r.what = 'E'"
}
end_run() { q "$(sql_end "$@")"; }
