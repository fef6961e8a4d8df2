# A wire that can hold what travels on it, for tests that need one message
# lost at one moment. Sourced behind lib.sh.
command -v python3 >/dev/null || skip_all "python3 is not installed"

# start_wire LISTEN TARGET: from one Unix socket to another.
start_wire()
{
	mkfifo "$T/wire.in"
	python3 "$top/tests/chaos/wire.py" "$1" "$2" <"$T/wire.in" \
		>"$T/wire.out" 2>&1 &
	wire_pid=$!
	started $wire_pid other
	exec 8>"$T/wire.in"
	n_wired=0
	wait_until 10 test -S "$1" || give_up "the wire is laid"
}

wired()
{
	[ "$(grep -c done "$T/wire.out")" = "$n_wired" ]
}

# wire hold up|down|both, wire release, wire reset: done when it returns.
wire()
{
	n_wired=$((n_wired + 1))
	echo "$*" >&8
	wait_until 10 wired || give_up "the wire obeys: $*"
}
