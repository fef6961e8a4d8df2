#!/bin/sh
# Lines of output that begin with "meta:" are kept with their run.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 1
submit '{"shell":"echo meta: name=alice age=30; echo no meta: x=1; echo \"meta: name=\\\"bob b\\\"\"; printf \"meta: last=1\""}'
within 10 "a job writes some" job_is "$job" finished
is "$(field "$job" '.meta[0] | "\(.name) \(.age)"')" "alice 30" \
	"names and values are kept"
is "$(field "$job" '.meta | length')" 3 \
	"only lines that begin so, the last one without an end, too"
finish
