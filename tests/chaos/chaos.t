#!/bin/sh
# The chaos suite for a moment, from a seed of its own each time; the README
# here says how a seed that failed is tried again.
#
# CHAOS_SEED, CHAOS_TIME and CHAOS_FAULTS choose another run.
command -v python3 >/dev/null || {
	echo "1..0 # SKIP python3 is not installed"
	exit 0
}
: "${abs_top_srcdir:=$(cd "${0%/*}/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir}"
exec python3 "$abs_top_srcdir/tests/chaos/chaos.py" \
	--build "$abs_top_builddir" --time "${CHAOS_TIME:-12}" \
	--faults "${CHAOS_FAULTS:-}" --seed "${CHAOS_SEED:-}"
