#!/bin/sh
# I9: projects of equal priority take turns, however much one has submitted,
# and one that comes late does not make up for what it missed.
. "${0%/*}/lib.sh"

start_server
submit '{"argv":["true"],"project":"big","replicas":50}'
submit '{"argv":["true"],"project":"small","replicas":5}'
fake_pilot one 1
turns()
{
	order=
	for turn in $(seq "$1"); do
		claim 1
		grant
		order="$order $(of '.grants[0].project[0:1]')"
		end_run "$run" "$job"
	done
}
turns 10
is "$(echo "$order" | tr ' ' '\n' | grep -c s)" 5 \
	"half of the first ten grants are the small project's"
case $order in
*"b b b"* | *"s s s"*) fail "they take turns" "$order" ;;
*) pass "they take turns" ;;
esac
turns 10
submit '{"argv":["true"],"project":"zlate","replicas":10}'
turns 10
n=$(echo "$order" | tr ' ' '\n' | grep -c z)
case $n in
[456]) pass "who comes late gets its half from then on" ;;
*) fail "who comes late gets its half from then on" "$order" ;;
esac
submit '{"argv":["true"],"project":"zlate","priority":1}'
claim 1
is "$(of '.grants[0].job')" "$job" "priority goes before turns"
finish
