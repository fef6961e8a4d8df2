#!/bin/sh
# A seed that fails fails again: with a fault that loses an acknowledged end
# the suite finds that, twice by the same claims and after the same plan.
# Two runs of the suite are too long for ./run-tests: --long makes them.
[ -n "${SORTIE_TEST_LONG:-}" ] || {
	echo "1..0 # SKIP only with SORTIE_TEST_LONG=1"
	exit 0
}
command -v python3 >/dev/null || {
	echo "1..0 # SKIP python3 is not installed"
	exit 0
}
: "${abs_top_srcdir:=$(cd "${0%/*}/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir}"
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
n=0

# claim TEXT COMMAND...
claim()
{
	n=$((n + 1))
	text=$1
	shift
	if "$@" >"$dir/said" 2>&1; then
		echo "ok $n - $text"
	else
		echo "not ok $n - $text"
		cat "$dir/said" "$dir/first" | sed 's/^/# /'
	fi
}

for run in first second; do
	python3 "$abs_top_srcdir/tests/chaos/chaos.py" --seed 17 --time 6 \
		--faults lose-an-end --servers 1 \
		--build "$abs_top_builddir" >"$dir/$run"
	sed -n '/^# SEED/p; /^#  *[0-9.]* s /p' "$dir/$run" >"$dir/$run.plan"
	sed -n '/^not ok/p' "$dir/$run" >"$dir/$run.bad"
done
claim "an end that is lost is found" \
	grep -q 'no acknowledged end is missing' "$dir/first.bad"
claim "the same seed has the same plan" cmp "$dir/first.plan" "$dir/second.plan"
claim "and fails by the same claims" diff "$dir/first.bad" "$dir/second.bad"
echo "1..$n"
