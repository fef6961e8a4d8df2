#!/bin/sh
# Builds fuzzers with clang in BUILD/tests/fuzz and runs them one after the
# other, each from its corpus.  What is found on the way stays in
# BUILD/tests/fuzz/found-NAME; an input that breaks something is left beside it
# as NAME-crash-*.
#
# usage: fuzz.sh BUILD [TIME [RUNS [NAME...]]]
#
#   TIME  seconds for each (default 60; 0: no end)
#   RUNS  executions for each (default: no end)
#   NAME  only these; the file targets lists them
#
# TAP: one claim for each. FUZZ_CFLAGS and FUZZ_LIBS say where libraries are.
set -u
LC_ALL=C
export LC_ALL

build=${1:?usage: fuzz.sh BUILD [TIME [RUNS [NAME...]]]}
time=${2:-60} runs=${3:--1}
[ $# -lt 3 ] && shift $# || shift 3
wanted=$*
mkdir -p "$build/tests/fuzz/o" || exit 99
out=$(cd "$build/tests/fuzz" && pwd)
cd "${0%/*}/../.." || exit 99
echo '#define PACKAGE_VERSION "fuzz"' >"$out/o/version.h.new"
cmp -s "$out/o/version.h.new" "$out/o/version.h" ||
	mv "$out/o/version.h.new" "$out/o/version.h"
flags="-std=gnu17 -g -O1 -D_GNU_SOURCE -I. -include lib/banned.h
	-include $out/o/version.h
	${FUZZ_CFLAGS:-} -fsanitize=address,undefined
	-fno-sanitize-recover=all -fno-omit-frame-pointer"

say()
{
	printf '# %s\n' "$*"
}

# Objects are as new as every header: few, and seldom built.
object_of()
{
	echo "$out/o/$(echo "${1%.c}" | tr / _).o"
}

stale()
{
	[ ! "$2" -nt "$1" ] || [ -n "$(find lib server pilot clients \
		-name '*.h' -newer "$2" | head -n 1)" ]
}

# compile SOURCE...: those that are not up to date, as many at once as there
# are processors.
compile()
{
	for source; do
		object=$(object_of "$source")
		if stale "$source" "$object"; then
			echo "$source $object"
		fi
	done | sort -u | xargs -r -n 2 -P "$(nproc)" sh -c \
		"exec clang $(echo $flags) -fsanitize=fuzzer-no-link -c \"\$0\" -o \"\$1\""
}

# archive FOLDER: all of it, as a library.
archive()
{
	# shellcheck disable=SC2046 # lists of words
	compile "$1"/*.c && rm -f "$out/o/$1.a" && ar rc "$out/o/$1.a" \
		$(for source in "$1"/*.c; do object_of "$source"; done)
}

# link NAME SOURCE-OR-FOLDER...
link()
{
	program=$out/o/fuzz_$1
	shift
	objects=
	for source; do
		case $source in
		*/)
			archive "${source%/}" || return 1
			objects="$objects $out/o/${source%/}.a"
			;;
		*)
			compile "$source" || return 1
			objects="$objects $(object_of "$source")"
			;;
		esac
	done
	# shellcheck disable=SC2086 # lists of words
	clang $flags -fsanitize=fuzzer $objects "$out/o/lib.a" \
		-Wl,--as-needed ${FUZZ_LIBS:-} -o "$program"
}

# run NAME MAX-LEN: prints how many executions it were.
run()
{
	mkdir -p "$out/found-$1"
	"$out/o/fuzz_$1" -max_total_time="$time" -runs="$runs" -max_len="$2" \
		-print_final_stats=1 -verbosity=0 -rss_limit_mb=2048 \
		-timeout=20 -artifact_prefix="$out/$1-" \
		"$out/found-$1" "tests/fuzz/corpus/$1" >"$out/$1.log" 2>&1 ||
		return 1
	sed -n 's/^stat::number_of_executed_units: *//p' "$out/$1.log"
}

known()
{
	[ -z "$wanted" ] || case " $wanted " in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
}

echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
	clang -x c - -fsanitize=fuzzer,address -o "$out/o/try" 2>/dev/null || {
	echo "1..0 # SKIP clang and its libFuzzer are not installed"
	exit 0
}
archive lib || exit 99

n=0 bad=0
while read -r name max_len sources; do
	case $name in
	'' | '#'*) continue ;;
	esac
	known "$name" || continue
	n=$((n + 1))
	# shellcheck disable=SC2086 # patterns, and then words
	set -- "tests/fuzz/fuzz_$name.c" $sources
	if ! link "$name" "$@"; then
		bad=$((bad + 1))
		echo "not ok $n - $name is built"
	elif executions=$(run "$name" "$max_len"); then
		echo "ok $n - $name: nothing is found in $executions executions"
	else
		bad=$((bad + 1))
		echo "not ok $n - $name: something is found"
		grep -E 'ERROR|BUG|SUMMARY|Test unit|runtime error|    #[0-9] ' \
			"$out/$name.log" | head -n 25 | while read -r line; do
			say "$line"
		done
	fi
done <tests/fuzz/targets
echo "1..$n"
[ $bad = 0 ]
