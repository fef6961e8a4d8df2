#!/bin/sh
# Disk full at the pilot: the run fails with that reason, the pilot lives.
. "${0%/*}/lib.sh"

[ "$(id -u)" = 0 ] || skip_all "a small file system needs root"
mkdir "$T/p1"
mount -t tmpfs -o size=24m,mode=700 small "$T/p1" 2>/dev/null ||
	skip_all "no mounts here"
echo "$T/p1" >>"$T/mounts"
start_server
start_pilot --slots 1
submit '[{"shell":"head -c 100000000 /dev/zero >big; exec sleep 1000","retries":0},{"argv":["echo","fine"]}]'
within 30 "the job that fills it fails" job_is "$job" failed
like "$(field "$job" .reason)" "*disk full*" "with that reason"
within 20 "the next one runs" job_is $((job + 1)) finished
is "$(output $((job + 1)))" fine "as if nothing had been"
ok "the pilot lives" alive "$pilot_pid"
stop_all
finish
