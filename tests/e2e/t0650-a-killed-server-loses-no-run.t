#!/bin/sh
# kill -9 of the server at several moments under load: running payloads go
# on, their ends arrive, every job ends exactly once.
. "${0%/*}/lib.sh"

start_server --lease 10 --heartbeat 2
start_pilot --slots 4
mkfifo "$T/go"
submit "{\"shell\":\"echo before; read x <$T/go; echo after\"}"
long=$job
within 10 "a long one runs" job_is "$long" running
submit "{\"shell\":\"echo \$SORTIE_JOB_NUMBER >>$T/ran\",\"replicas\":300}"
for moment in 0 40 150; do
	"$helper" pause $moment
	kill -9 "$server_pid"
	wait_until 5 gone "$server_pid"
	start_server --lease 10 --heartbeat 2
	submit "{\"shell\":\"echo \$SORTIE_JOB_NUMBER >>$T/ran\",\"replicas\":50}"
	[ "$status" = 201 ] || fail "the server takes jobs again" "$answer"
done
within 60 "all short ones finish" counts finished 450
is "$(field "$long" '"\(.state) \(.attempts)"')" "running 1" \
	"the long one still runs its first run"
tell "$T/go"
within 10 "and ends" job_is "$long" finished
is "$(output "$long")" "before
after" "with all of its output"
is "$(sort -n "$T/ran" | uniq -d)" "" "no payload ran twice"
is "$(sort -nu "$T/ran" | wc -l)" 450 "and each ran"
finish
