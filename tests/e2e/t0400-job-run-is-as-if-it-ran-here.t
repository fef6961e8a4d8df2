#!/bin/sh
# `sortie job run -- COMMAND`: its output, its exit status, its directory.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 2
mkdir "$T/here" && cd "$T/here" || exit 1
exits 0 "exit 0" sortie job run -- true
exits 3 "exit 3" sortie job run -- sh -c 'exit 3'
exits 137 "signal 9 is 128 + 9" sortie job run -- sh -c 'kill -9 $$'
exits 143 "signal 15" sortie job run -- sh -c 'kill $$'
exits 124 "the time limit is 124" sortie job run --timeout 1 -- sleep 1000
exits 125 "what cannot start is 125" sortie job run -- /no/such/program
like "$said" "*/no/such/program*" "and is told"
is "$(sortie job run -- pwd)" "$T/here" "it runs in this directory"
is "$(sortie job run -E A=b -- sh -c 'echo $A')" b "with variables"
is "$(OWN=mine sortie job run --env-all -- sh -c 'echo $OWN')" mine \
	"or this whole environment"
is "$(sortie job run --env-all -- sh -c 'echo ${SORTIE_TOKEN%%_*}')" sr \
	"but never its tokens"
sortie job run -- sh -c 'echo out; echo err >&2' >"$T/o" 2>"$T/e"
is "$(cat "$T/o") $(cat "$T/e")" "out err" "the streams are kept apart"
sortie job run -o "$T/o" -e "$T/e" -- sh -c 'echo 1; echo 2 >&2' >"$T/n" 2>&1
is "$(cat "$T/o")$(cat "$T/e")$(cat "$T/n")" 12 "or go to files"
head -c 300000 /dev/urandom >"$T/bytes"
sortie job run -- cat "$T/bytes" >"$T/got" 2>/dev/null
ok "binary output is exact" cmp "$T/bytes" "$T/got"
is "$(sortie job run --name n -- true; get /api/v1/jobs | jq -r '.items[0].name')" \
	n "it has a name"
exits 2 "no command is wrong use" sortie job run
exits 125 "no server is Sortie's own failure" \
	env SORTIE_URL="unix:$T/nobody" sortie job run -- true
like "$said" "*sortied*" "and says how to start one"
finish
