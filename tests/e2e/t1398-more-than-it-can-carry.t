#!/bin/sh
# Backpressure: a queue has a bound, beyond it the answer is 503 at once with
# Retry-After; what was acknowledged is there, what was refused is not; and
# being asked for much more than can be done does not make less be done.
. "${0%/*}/lib.sh"

overload()
{
	python3 "$here/overload.py" "$sock" "$state/admin-token" "$@"
}

statuses()
{
	jq -r ".statuses.\"$2\" // 0" "$1"
}

queued()
{
	get /metrics | sed -n 's/^sortie_lane_queued{lane="submit"} //p'
}

queue_is_full()
{
	[ "$(queued)" = 4000 ]
}

# What is there is what the answers in these files acknowledged.
jobs_are()
{
	jq -r '.names[]' "$@" | sort >"$T/acknowledged"
	query 'SELECT name FROM sortie.job ORDER BY name COLLATE "C"' >"$T/stored"
	cmp "$T/acknowledged" "$T/stored"
}

start_server
# The database stands still, as it does when its disk is busy.
mkfifo "$T/hold"
"$(pg_bin)/psql" -XqAt -h "$state/run" -U sortie -d sortie <"$T/hold" \
	>"$T/hold.txt" 2>&1 &
started $! other
exec 7>"$T/hold"
echo 'BEGIN; LOCK TABLE sortie.job; SELECT 1;' >&7
within 10 "a database stands still" grep -q 1 "$T/hold.txt"
overload flood 5000 >"$T/flood.json" 2>"$T/flood.out" &
flood_pid=$!
started $flood_pid other
within 30 "5,000 submissions are under way" grep -q sent "$T/flood.out"
within 30 "4,000 of them wait" queue_is_full
throughout 1 "and no more" queue_is_full
call GET /healthz
is "$status" 200 "the server answers other calls"
call POST /api/v1/jobs '{"argv":["true"],"name":"late"}' -D "$T/late.head"
is "$status" 503 "one more submission is refused at once"
ok "with the time to come again" grep -iq '^retry-after: [0-9]' "$T/late.head"
echo 'COMMIT;' >&7
exec 7>&-
within 60 "those that waited are answered" gone $flood_pid
refused=$(statuses "$T/flood.json" 503)
is "$(($(statuses "$T/flood.json" 201) + refused))" 5000 \
	"each with 201 or 503"
is "$((refused > 0 && refused <= 1000))" 1 "refused were those beyond the bound"
is "$(jq .retry_after "$T/flood.json")" "$refused" \
	"each was told when to come again"
ok "exactly those that were acknowledged are there" jobs_are "$T/flood.json"

# 16 clients keep it busy; 5,000 ask for far more than
# it can do. The client's own work weighs as much as the server's here: figures
# that mean something are those of the benchmark.
overload rate 16 3 >"$T/some.json"
overload rate 5000 3 >"$T/many.json"
ok "nothing is lost or made up" jobs_are "$T/flood.json" "$T/some.json" "$T/many.json"
some=$(jq '.statuses."201" / .seconds | floor' "$T/some.json")
many=$(jq '.statuses."201" / .seconds | floor' "$T/many.json")
diag "16 clients: $some a second; 5,000: $many a second, $(statuses "$T/many.json" 503) refused, slowest answer $(jq .slowest_s "$T/many.json") s"
is "$((many * 2 >= some))" 1 "as much is done as without the crowd, about"
is "$(statuses "$T/some.json" 503)" 0 "nobody is refused without need"
within 10 "and then it is idle" test "$(queued)" = 0
finish
