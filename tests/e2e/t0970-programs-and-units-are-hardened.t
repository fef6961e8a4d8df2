#!/bin/sh
# What the compiler, the linker and systemd can do against the next hole is
# done: read off the programs and the units.
. "${0%/*}/lib.sh"

command -v readelf >/dev/null || skip_all "readelf is not installed"
if nm -D "$build/server/sortied" | grep -q '__asan_\|__ubsan_\|__gcov_'; then
	skip_all "instrumented programs are not hardened"
fi

# says PATTERN COMMAND...
says()
{
	pattern=$1
	shift
	"$@" 2>/dev/null | grep -qE "$pattern"
}

programs='clients/sortie pilot/sortie-pilot server/sortied'
is "$(sed -n 's/^\(s\?bin\|[a-z]*exec\|[a-z]*lib\)_\(PROGRAMS\|LTLIBRARIES\) *+\?= *//p' \
	"$top"/Makefile.am "$top"/*/Makefile.inc | grep . | sort | tr '\n' ' ')" "$programs " \
	"these are all programs that are installed"
for program in $programs; do
	at=$build/$program name=${program#*/}
	ok "$name can lie anywhere (PIE)" says 'Type: *DYN' readelf -hW "$at"
	ok "$name: its tables are read-only (RELRO)" says GNU_RELRO readelf -lW "$at"
	ok "$name: and bound before it begins (NOW)" says 'FLAGS.*BIND_NOW' readelf -dW "$at"
	ok "$name has a stack without code" says 'GNU_STACK.* RW ' readelf -lW "$at"
	nok "$name has no segment to write and to run" says 'LOAD.* (RWE|WE) ' readelf -lW "$at"
	ok "$name notices a broken stack" says __stack_chk_fail nm -D "$at"
	ok "$name uses glibc's checked functions" says '__(snprintf|memcpy|vsnprintf|read)_chk' nm -D "$at"
	nok "$name searches no library in odd places" says 'RPATH|RUNPATH' readelf -dW "$at"
	case $(uname -m) in
	x86_64)
		ok "$name marks where jumps may land (CET)" says endbr64 \
			sh -c "objdump -d --no-show-raw-insn '$at' | grep -m 200 endbr64 | tail -n 1" ;;
	*) skip "$name marks where jumps may land (CET)" "not this machine's" ;;
	esac
done

# exposure UNIT: as systemd reckons it, 0 (none) to 100.
exposure()
{
	sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$top/share/systemd/$1" >"$T/$1"
	systemd-analyze security --offline=true --no-pager "$T/$1" 2>/dev/null |
		sed -n 's/.*exposure level.*: \([0-9]*\)\.\([0-9]\) .*/\1\2/p'
}

for unit in sortied:14 sortie-pilot:54 sortie-inject@:18; do
	claim="${unit%:*}.service is no more exposed than its comment says"
	got=$(exposure "${unit%:*}.service")
	if [ -z "$got" ]; then
		skip "$claim" "no systemd-analyze with --offline"
		continue
	fi
	ok "$claim" test "$got" -le "${unit#*:}"
	ok "and that is what it says" grep -q "says $((got / 10)).$((got % 10)) (of 10" \
		"$top/share/systemd/${unit%:*}.service"
done
finish
