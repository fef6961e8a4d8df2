#!/bin/sh
# What a running job writes is in the server within 2 seconds, and whoever
# follows it gets it without asking again.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 1
# One fifo for each line: the next reader must not meet the last writer.
mkfifo "$T/go" "$T/again"
submit "{\"shell\":\"echo first; read x <$T/go; echo second; read x <$T/again; echo third\"}"
within 10 "it runs" job_is "$job" running
within 2 "its first line is there within 2 s" output_is "$job" first
sortie job logs -f "$job" >"$T/followed" 2>"$T/follow.out" &
follower=$!
started $follower other
within 5 "a follower has it" grep -q first "$T/followed"
tell "$T/go"
within 3 "the second line comes within 2 s" grep -q second "$T/followed"
is "$(field "$job" '"\(.state) \(.runs[0].stdout.complete)"')" "running false" \
	"it is said to be incomplete so far"
tell "$T/again"
within 10 "it ends" job_is "$job" finished
within 5 "the follower ends with it" gone $follower
is "$(cat "$T/followed")" "first
second
third" "and has all of it"
finish
