#!/bin/sh
# /metrics: sizes and waits of batches, times of statements, parked claims,
# tables with their dead rows, the oldest snapshot.
. "${0%/*}/lib.sh"

# figure NAME [LABELS]: its value.
figure()
{
	get /metrics | sed -n "s/^$1${2:+{$2\}} //p"
}

figure_is()
{
	[ "$(figure "$1" "$2")" = "$3" ]
}

figure_above()
{
	value=$(figure "$1" "$2")
	[ -n "$value" ] && [ "${value%.*}" -ge "$3" ]
}

start_database
# Somebody keeps an old snapshot open all the time.
mkfifo "$T/hold"
"$bin/psql" -XqAt -h "$T/db" -U sortie -d postgres <"$T/hold" >"$T/hold.txt" 2>&1 &
started $! other
exec 7>"$T/hold"
echo 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1;' >&7
wait_until 10 grep -q 1 "$T/hold.txt"
launch a --database "$database" --state-dir "$T/a.state"
use_server "$T/a" "$T/a.state"

for n in 1 2 3; do
	submit '{"argv":["true"]}'
done
lane='lane="submit"'
is "$(figure sortie_lane_requests_total "$lane")" 3 "requests of a lane"
is "$(figure sortie_lane_batch_requests_sum "$lane")" 3 "sizes of batches"
is "$(figure sortie_lane_batch_requests_count "$lane")" \
	"$(figure sortie_lane_batches_total "$lane")" "of each batch"
is "$(figure sortie_lane_wait_seconds_count "$lane")" 3 "waits of each request"
is "$(figure sortie_lane_wait_seconds_bucket "$lane,le=\"+Inf\"")" 3 "in buckets"
field "$job" .state >"$T/state"
is "$(figure sortie_statement_seconds_count 'statement="job_show"')" 1 \
	"times of a statement that ran"
is "$(figure sortie_statement_seconds_count 'statement="site_put"')" "" \
	"nothing of one that did not"
ok "waits for the pool" figure_above sortie_pool_wait_seconds_count "" 1

start_pilot --slots 1
within 20 "the jobs end" counts finished 3
within 10 "a parked claim" figure_is sortie_claims_parked "" 1
within 10 "rows of tables" figure_above sortie_table_rows 'table="job"' 0
ok "dead rows" figure_above sortie_table_dead_rows 'table="queue"' 0
ok "their size" figure_above sortie_table_bytes 'table="job"' 8192
ok "the age of the oldest snapshot" figure_above sortie_oldest_snapshot_seconds "" 1
ok "in transactions, too" figure_above sortie_oldest_xmin_transactions "" 1

# What Prometheus reads: a family stands together, each with its type, and no
# line twice.
get /metrics >"$T/metrics"
is "$(grep -c '^# TYPE' "$T/metrics")" \
	"$(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$T/metrics" | sort -u | wc -l)" \
	"each family once"
is "$(sed -n 's/^\([a-z][^ ]*\) .*/\1/p' "$T/metrics" | sort | uniq -d)" "" \
	"each series once"
exec 7>&-
finish
