#!/bin/sh
# A job that asks for memory is held to it by a control group, and told why
# it ended; without a group that the pilot may write this is skipped.
. "${0%/*}/lib.sh"

[ "$(id -u)" = 0 ] || skip_all "control groups need root here"
usable=
[ -w /sys/fs/cgroup/memory/cgroup.procs ] && usable=1
grep -qs memory /sys/fs/cgroup/cgroup.controllers && usable=2
[ -n "$usable" ] || skip_all "no control group for memory"
start_server
start_pilot --slots 2 --memory "4 GiB"
submit '[{"shell":"exec dd if=/dev/zero of=/dev/null bs=300M count=1","memory":"64 MiB"},
	{"shell":"exec dd if=/dev/zero of=/dev/null bs=30M count=1","memory":"128 MiB"}]'
within 20 "too much memory ends a job" job_is "$job" failed
if grep -q 'cgroup.*cannot\|no control group' "$T/$pilot.log"; then
	skip "its reason says so" "the groups here cannot be written"
else
	like "$(field "$job" .reason)" "*memory*" "its reason says so"
fi
within 20 "one that keeps to it is not touched" job_is $((job + 1)) finished
ok "the pilot ends" stop_pid "$pilot_pid"
nok "no group is left" sh -c "find /sys/fs/cgroup -maxdepth 4 -name 'sortie-$pilot_child*' 2>/dev/null | grep ."
finish
