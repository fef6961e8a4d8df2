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
# Every option of a program stands in its manual page.
missing=
for pair in sortied:sortied.8 sortie-pilot:sortie-pilot.1; do
	for option in $("${pair%%:*}" --help | grep -oE '^ *(-[A-Za-z], )?--[a-z0-9-]+' |
			grep -oE -- '--[a-z0-9-]+' | sort -u); do
		tr -d '\\' <"$top/man/${pair#*:}" | grep -qE "(Fl )?-?${option#-}( |$|,)" ||
			missing="$missing ${pair%%:*}:$option"
	done
done
is "$missing" "" "every option stands in the manual"
finish
