#!/bin/sh
# No parser falls over any bytes, as far as a few seconds can tell; make fuzz
# takes longer.
set -u
top=${abs_top_srcdir:-$(cd "${0%/*}/../.." && pwd)}
exec "$top/tests/fuzz/fuzz.sh" "${abs_top_builddir:-$top}" 3
