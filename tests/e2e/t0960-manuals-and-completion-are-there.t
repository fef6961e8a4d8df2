#!/bin/sh
# Every program has its manual page, which mandoc finds right, and bash
# completes the command's words.
. "${0%/*}/lib.sh"

for page in sortie.1 sortie-pilot.1 sortied.8 sortied.conf.5 sortie-job.5 sortie-states.7; do
	ok "$page is there" test -s "$top/man/$page"
done
if command -v mandoc >/dev/null; then
	for page in "$top"/man/*.[1-8]; do
		mandoc -T lint -W warning "$page" >"$T/lint" 2>&1
		is "$(cat "$T/lint")" "" "${page##*/} is right"
	done
else
	skip "manual pages are right" "mandoc is not installed"
fi
completion=$top/share/bash-completion/sortie
if command -v bash >/dev/null && [ -f "$completion" ]; then
	cat >"$T/try.bash" <<'END'
source "$1"
shift
spec=$(complete -p sortie) || exit 1
fn=$(sed -n 's/.*-F \([^ ]*\).*/\1/p' <<<"$spec")
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
"$fn" sortie "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
END
	like "$(bash "$T/try.bash" "$completion" sortie jo)" "*job*" \
		"bash completes a word of the command"
	like "$(bash "$T/try.bash" "$completion" sortie job su)" "*submit*" \
		"and the next"
	like "$(bash "$T/try.bash" "$completion" sortie job submit --rep)" \
		"*--replicas*" "and options"
else
	fail "bash completion is there"
fi
# The options of the programs stand in their pages as in their tables; a page
# that differs gets what --mdoc prints.
for pair in sortied:sortied.8 sortie-pilot:sortie-pilot.1; do
	"${pair%%:*}" --mdoc >"$T/want"
	sed -n '/^\.\\" BEGIN options/,/^\.\\" END options/{/^\.\\"/!p}' \
		"$top/man/${pair#*:}" >"$T/got"
	is "$(diff "$T/got" "$T/want")" "" "${pair#*:} has the options of the table"
done
sortied --mdoc | sed -n 's/^\.It.*Fl -\([a-z-]*\).*/\1/p' | sort >"$T/options"
sed -n 's/^\.It Li \([a-z-]*\).*/\1/p' "$top/man/sortied.conf.5" | sort >"$T/keys"
is "$(comm -23 "$T/options" "$T/keys" | tr '\n' ' ')" \
	"audit check-config config dev help print-routes restored version " \
	"all others are keys of the config file and stand in its page"
is "$(comm -13 "$T/options" "$T/keys")" "" "which has no other keys"
finish
