# What every end-to-end test is made of: claims in TAP, waiting with a deadline,
# a private directory, and an end that stops, audits and searches everything.
# A test sources this file, makes its claims, and calls finish as its last word:
#
#	. "${0%/*}/lib.sh"
#	start_server
#	start_pilot --slots 1
#	submit '{"argv":["true"]}'
#	within 10 "a job runs" job_is "$job" finished
#	finish
#
# Environment: SORTIE_TEST_KEEP=1 keeps the directory of a test that failed.
set -u
LC_ALL=C TZ=UTC
export LC_ALL TZ
umask 022
for name in $(env | sed -n 's/^\(SORTIE[A-Z_]*\|XDG_[A-Z_]*\|SLURM_[A-Z_]*\|_CONDOR_[A-Z_]*\|PG[A-Z]*\)=.*/\1/p'); do
	case $name in
	SORTIE_TEST_*) ;;
	*) unset "$name" ;;
	esac
done

here=$(cd "${0%/*}" && pwd)
top=${abs_top_srcdir:-$(cd "$here/../.." && pwd)}
build=${abs_top_builddir:-$top}
helper=$build/tests/e2e/helper
PATH=$build/clients:$build/pilot:$build/server:$PATH:/usr/sbin:/sbin
export PATH

# Claims

n_claims=0 n_bad=0 finished=

diag()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

pass()
{
	n_claims=$((n_claims + 1))
	echo "ok $n_claims - $1"
}

# fail CLAIM [EXPLANATION...]
fail()
{
	n_claims=$((n_claims + 1))
	n_bad=$((n_bad + 1))
	echo "not ok $n_claims - $1"
	shift
	for line; do
		diag "$line"
	done
}

# skip CLAIM REASON
skip()
{
	n_claims=$((n_claims + 1))
	echo "ok $n_claims - $1 # SKIP $2"
}

# Nothing of this test can be tried here; before anything was started.
skip_all()
{
	echo "1..0 # SKIP $*"
	finished=yes
	exit 0
}

# is GOT WANT CLAIM
is()
{
	if [ "$1" = "$2" ]; then
		pass "$3"
	else
		fail "$3" "got:  $1" "want: $2"
	fi
}

# like TEXT GLOB CLAIM
like()
{
	case $1 in
	$2) pass "$3" ;;
	*) fail "$3" "got:  $1" "want: $2" ;;
	esac
}

# ok CLAIM COMMAND...
ok()
{
	claim=$1
	shift
	if "$@" >"$T/ok.out" 2>&1; then
		pass "$claim"
	else
		fail "$claim" "exit status $? of: $*" "$(tail -n 20 "$T/ok.out")"
	fi
}

# nok CLAIM COMMAND...: it must fail.
nok()
{
	claim=$1
	shift
	if "$@" >"$T/ok.out" 2>&1; then
		fail "$claim" "exit status 0 of: $*" "$(tail -n 20 "$T/ok.out")"
	else
		pass "$claim"
	fi
}

# exits STATUS CLAIM COMMAND...; what it said is in $said.
exits()
{
	want=$1 claim=$2
	shift 2
	"$@" >"$T/said" 2>&1
	got=$?
	said=$(tr -d '\000' <"$T/said")
	if [ $got = "$want" ]; then
		pass "$claim"
	else
		fail "$claim" "exit status $got, want $want, of: $*" \
			"$(tail -n 20 "$T/said")"
	fi
}

# The test cannot go on.
give_up()
{
	fail "$@"
	finish
}

# Time

# Hundredths of a second since the machine started.
now_cs()
{
	read -r up rest </proc/uptime
	now=${up%.*}${up#*.}
}

# wait_until SECONDS COMMAND...: true as soon as it succeeds.
wait_until()
{
	now_cs
	set -- "$((now + $1 * 100))" "$@"
	while :; do
		if (shift 2; "$@") >/dev/null 2>&1; then
			return 0
		fi
		now_cs
		[ "$now" -lt "$1" ] || return 1
		"$helper" pause 30
	done
}

# within SECONDS CLAIM COMMAND...
within()
{
	within_s=$1 claim=$2
	shift 2
	if wait_until "$within_s" "$@"; then
		pass "$claim"
	else
		fail "$claim" "not so after $within_s s: $*"
	fi
}

# throughout SECONDS CLAIM COMMAND...: it holds all the time.
throughout()
{
	within_s=$1 claim=$2
	shift 2
	if wait_until "$within_s" fails "$@"; then
		fail "$claim" "no longer so: $*"
	else
		pass "$claim"
	fi
}

fails()
{
	! "$@"
}

# The process is gone, or only its exit status is left.
gone()
{
	[ ! -e "/proc/$1" ] || grep -q '^State:.[ZX]' "/proc/$1/status"
}

alive()
{
	! gone "$1"
}

# Opening a fifo waits for the other side, who may be gone: no longer than 10 s.
tell()
{
	timeout 10 sh -c 'echo go >"$1"' tell "$1"
}

# The one place, and what happens to it

T=$(mktemp -d "${TMPDIR:-/tmp}/sortie-e2e.XXXXXX") || exit 99
# The database's user has to pass through.
chmod 711 "$T"
HOME=$T/home
export HOME
mkdir "$HOME"
: >"$T/started"

# started PID NAME: to be stopped at the end.
started()
{
	echo "$1 $2" >>"$T/started"
}

# Gives it the time to end in order; true when it did.
stop_pid()
{
	kill "$1" 2>/dev/null || return 0
	wait_until "${2:-20}" gone "$1" && return 0
	kill -9 "$1" 2>/dev/null
	wait_until 5 gone "$1"
	return 1
}

# Pilots first, then servers, then the rest: the last started goes first.
stop_all()
{
	slow=
	for kind in pilot server other; do
		for pid in $(sed -n "s/^\([0-9]*\) $kind.*/\1/p" \
				"$T/started" | tac); do
			alive "$pid" || continue
			kill -CONT "$pid" 2>/dev/null
			# A pilot has its grace and its good-bye, 20 s by
			# default when nobody answers.
			stop_pid "$pid" 30 || slow="$slow $kind:$pid"
		done
	done
	[ -z "$slow" ]
}

# Processes that still live in the test's directory.
leftovers()
{
	for cwd in /proc/[0-9]*/cwd; do
		pid=${cwd%/cwd}
		[ "${pid#/proc/}" = $$ ] && continue
		case $(readlink "$cwd" 2>/dev/null) in
		"$T" | "$T"/*)
			gone "${pid#/proc/}" ||
				tr '\0' ' ' <"$pid/cmdline" 2>/dev/null ;;
		esac
	done
}

no_leftovers()
{
	[ -z "$(leftovers)" ]
}

search_logs()
{
	find "$T" \( -name '*.log' -o -name '*.out' -o -path '*/log/*' \) \
		-type f -exec grep -aHE "BUG: |ERROR: [A-Za-z]*Sanitizer|runtime error:|deadlock detected|stack smashing" {} +
}

show_logs()
{
	for log in "$T"/*.log "$T"/*.out; do
		[ -s "$log" ] || continue
		diag "--- the end of ${log##*/}"
		tail -n 25 "$log" | cut -c 1-400 | sed 's/^/# /'
	done
}

clean_up()
{
	status=$?
	trap - EXIT
	if [ -z "$finished" ]; then
		diag "ended early, exit status $status"
		n_bad=$((n_bad + 1))
		stop_all
	fi
	[ $n_bad = 0 ] || show_logs
	for dir in $(cat "$T/mounts" 2>/dev/null); do
		umount "$dir"
	done
	if [ $n_bad != 0 ] && [ -n "${SORTIE_TEST_KEEP:-}" ]; then
		diag "kept: $T"
	else
		rm -rf "$T"
	fi
	# What failed is told claim by claim.
	[ -n "$finished" ]
	exit
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

# The last words of a test: counters, processes and logs are in order, too.
finish()
{
	cd /
	audit_all
	if stop_all; then
		[ -n "${quiet_end:-}" ] || pass "everything ends in time"
	else
		fail "everything ends in time" "did not:$slow"
	fi
	if ! wait_until 5 no_leftovers; then
		fail "nothing is left running" "$(leftovers)"
	fi
	found=$(search_logs)
	[ -z "$found" ] || fail "the logs tell of no fault" "$found"
	echo "1..$n_claims"
	finished=yes
	exit 0
}

for name in server/sortied pilot/sortie-pilot clients/sortie tests/e2e/helper \
	curl:curl jq:jq; do
	[ -x "$build/$name" ] || command -v "${name#*:}" >/dev/null || {
		echo "Bail out! ${name#*:} is missing: ./run-tests builds and installs"
		exit 99
	}
done
. "$here/lib-programs.sh"
. "$here/lib-calls.sh"
