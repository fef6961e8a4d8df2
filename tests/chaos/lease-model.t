#!/bin/sh
# The model of the lease protocol (doc/lease.pml) holds in every interleaving,
# and without its fences it does not.
: "${abs_top_srcdir:=$(cd "${0%/*}/../.." && pwd)}"

for tool in spin cc; do
	command -v $tool >/dev/null || {
		echo "1..0 # SKIP $tool is not installed"
		exit 0
	}
done
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 99
cp "$abs_top_srcdir/doc/lease.pml" . || exit 99
n=0

# errors [MUTATION]: what the search finds, as spin counts it; in $found.
errors()
{
	rm -f pan ./*.trail
	spin -a "$@" lease.pml >spin.out 2>&1 &&
		cc -w -O2 -DSAFETY -DCOLLAPSE -o pan pan.c &&
		./pan -m100000 >pan.out 2>&1
	found=$(sed -n 's/.*errors: \([0-9]*\)$/\1/p' pan.out)
	grep -q 'max search depth too small' pan.out && found=shallow
	return 0
}

claim()
{
	n=$((n + 1))
	if [ "$found" = "$1" ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		cat spin.out pan.out | sed 's/^/# /'
	fi
}

errors
claim 0 "the protocol keeps its promises in every interleaving"
echo "# $(grep 'states, stored' pan.out)"
errors -DNO_FENCE
claim 1 "without runs as fences it does not"
errors -DREVIVE_ALWAYS
claim 1 "nor when a run may come back beside a newer one"
errors -DREACH
claim 1 "the job can end"
echo "1..$n"
