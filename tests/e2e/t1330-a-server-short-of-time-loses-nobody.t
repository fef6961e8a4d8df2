#!/bin/sh
# A server that is stopped for a long while, and then has a fiftieth of a
# processor, with many pilots: none is declared lost.
#
# SORTIE_TEST_LONG=1: 100 pilots and 60 s each instead of 12 and 8.
. "${0%/*}/lib.sh"

n=12 span=8
[ -z "${SORTIE_TEST_LONG:-}" ] || n=100 span=60
start_server --lease 3 --heartbeat 1
i=0
while [ $i -lt $n ]; do
	launch_pilot --slots 1 --cores 1
	i=$((i + 1))
done
busy()
{
	[ "$(get /api/v1/summary | jq '.now.pilots.busy // 0')" = $n ]
}
submit "{\"shell\":\"while [ ! -e $T/go ]; do sleep 1; done\",\"replicas\":$n}"
within 120 "$n pilots run a job each" busy
nobody_lost()
{
	[ "$(query "SELECT count(*) FROM sortie.event WHERE kind = 'pilot lost'")" = 0 ]
}
kill -STOP "$server_pid"
"$helper" pause $((span * 1000))
kill -CONT "$server_pid"
throughout 4 "stopped for $span s it gives nobody up" nobody_lost
now_cs
end=$((now + span * 100))
while [ "$now" -lt $end ]; do
	kill -STOP "$server_pid"
	"$helper" pause 490
	kill -CONT "$server_pid"
	"$helper" pause 10
	now_cs
done
throughout 4 "starved for $span s it gives nobody up" nobody_lost
: >"$T/go"
within 60 "all jobs end" counts finished $n
is "$(query 'SELECT max(attempt) FROM sortie.run')" 1 "each as its first run"
finish
