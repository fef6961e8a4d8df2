#!/bin/sh
# No parser falls over any bytes, as far as a few seconds can tell; make fuzz
# takes longer, and SORTIE_TEST_LONG=1 five seconds for each in place of one.
set -u
top=${abs_top_srcdir:-$(cd "${0%/*}/../.." && pwd)}
exec "$top/tests/fuzz/fuzz.sh" "${abs_top_builddir:-$top}" \
	"$([ -n "${SORTIE_TEST_LONG-}" ] && echo 5 || echo 1)"
