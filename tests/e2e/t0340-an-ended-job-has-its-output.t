#!/bin/sh
# Nobody sees an ended job before its output is complete: asked at the very
# moment of its end, size and bytes agree.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 2
wrong=
for size in 10 5000 70000 300000 900000; do
	for turn in 1 2; do
		submit "{\"shell\":\"head -c $size /dev/zero\"}"
		get "/api/v1/jobs/$job?wait=30" >"$T/view"
		ended=$(jq -r '"\(.state) \(.runs[0].stdout.complete)"' "$T/view")
		got=$(get "/api/v1/jobs/$job/runs/last/output/stdout" | wc -c)
		[ "$ended $got" = "finished true $size" ] ||
			wrong="$wrong $size:$ended:$got"
	done
done
is "$wrong" "" "with the end of a job all of its output is there"
finish
