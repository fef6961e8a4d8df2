#!/bin/sh
# Programs that lie where make install puts them find the pilot beside them,
# though nobody has put it into PATH.
. "${0%/*}/lib.sh"

unpack_template "$T"
mkdir -p "$T/prefix/bin" "$T/prefix/sbin"
cp "$build/clients/sortie" "$build/pilot/sortie-pilot" "$T/prefix/bin" &&
	cp "$build/server/sortied" "$T/prefix/sbin" ||
	give_up "the programs are copied"
bare=/usr/bin:/bin:/usr/sbin:/sbin

dev()
{
	PATH=$bare "$T/prefix/sbin/sortied" --dev --state-dir "$state" \
		>"$T/exports" 2>>"$T/server.out" &
	server_pid=$!
	started $server_pid server
	ok "$1" wait_until 30 answers_or_gone "$state/sortied.sock" $server_pid
}

dev "the server starts"
use_server "$state/sortied.sock" "$state"

pilots()
{
	[ "$(get '/api/v1/pilots?state=idle' | jq '.items | length')" = "$1" ]
}

within 15 "with a pilot of its own" pilots 1
is "$(sortie job run -- sh -c umask)" 0022 "which has the umask of who started it"
kill -KILL $server_pid
wait $server_pid 2>/dev/null
dev "killed, it starts again"
another()
{
	get '/api/v1/pilots?state=idle' |
		jq -e '[.items[].number] | length == 1 and .[0] > 1' >/dev/null
}

within 30 "with a pilot, though the old one was not gone yet" another
ok "the command starts another" env PATH="$bare" \
	"$T/prefix/bin/sortie" pilot start -n 1
within 15 "which joins" pilots 2
ok "both are drained" sortie pilot drain --state idle
within 20 "and leave" pilots 0
finish
