#!/bin/sh
# What is dead stays while a snapshot is open: claims do not go through it again
# and again, and miss nothing that is put in front of where a queue began.
. "${0%/*}/session.sh"
start_world
open_session a
# As the embedded database has it: what plans come out depends on it.
q "ALTER DATABASE t SET random_page_cost = 1.1" >/dev/null
pilot 1 true near 10000 10000 >/dev/null

# claims FIRST LAST SLOTS: claims with these requests, a transaction each.
claims()
{
	q "DO \$\$ BEGIN FOR i IN $1 .. $2 LOOP
		PERFORM sortie.claim_1(1, 1, i, '{1}', ARRAY[i::bigint],
			'{$3}', '{$3}', '{0}', '{0}', '{200}');
		COMMIT;
	END LOOP; END \$\$"
}
entries_read()
{
	q "SELECT pg_stat_force_next_flush()" >/dev/null
	q "SELECT idx_tup_read FROM pg_stat_user_indexes
		WHERE indexrelname = '$1'"
}
# reads INDEX LIMIT CLAIM: fewer entries than that were read since $before.
reads()
{
	read=$(($(entries_read "$1") - before))
	[ "$read" -lt "$2" ] && pass "$3" || fail "$3" "$read were read"
}
say a "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM sortie.job" >/dev/null
submit 1 10000 >/dev/null
before=$(entries_read queue_pkey)
claims 1 90 100
is "$(q "SELECT count(*), min(number), max(number) FROM sortie.live")" "9000|1|9000" \
	"jobs are granted beside an old snapshot"
reads queue_pkey 100000 "claims read few entries of the queue twice"
claims 91 1500 0
for i in 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
	pilot 1 true near 10 10 >/dev/null
done
q "ANALYZE sortie.pilot_room" >/dev/null
before=$(entries_read pilot_room_pkey)
claims 1501 3000 0
reads pilot_room_pkey 10000 "nor do they go through all versions of a pilot's row"
say a COMMIT >/dev/null
audit_clean "then"

# In front of the head that was noted. takes PILOT JOB CLAIM: the next is this.
requests=3000
takes()
{
	requests=$((requests + 1))
	is "$(claim "$1" $requests 1 1)" "$2" "$3"
}
high=$(submit 1 1 5)
takes 1 "$high" "a job of a higher priority is found"
takes 2 9001 "then the one whose turn it is"
end_run 17 returned 0 >/dev/null
takes 1 17 "a run that is handed back is found"
held=$(submit 1 1 7 true)
q "SELECT 1 FROM sortie.job_release_1(0, NULL, '{}', '{$held}')" >/dev/null
takes 1 "$held" "a job that is released is found"

# Two put jobs in front at once, either of them first.
for order in "17 9001" "9001 17"; do
	say a "BEGIN; $(sql_end "${order% *}" returned 0 |
		sed "s/report_2(2,/report_2(5,/")" >/dev/null
	end_run "${order#* }" returned 0 >/dev/null
	say a COMMIT >/dev/null
	takes 1 17 "of two that come in front the first one is"
	takes 2 9001 "and then the other"
done

# While somebody puts a job in nobody notes a head behind it.
submit 1 2000 >/dev/null
late=$(say a "BEGIN; $(sql_submit 1 1 9)")
claims $((requests + 1)) $((requests + 3)) 300
say a COMMIT >/dev/null
requests=$((requests + 3))
takes 1 "$late" "a job that was put in meanwhile is found"
audit_clean "and then"

# Counters: a row an era, folded when that is over.
era()
{
	q "CREATE OR REPLACE FUNCTION sortie.tally_era_1() RETURNS int
		LANGUAGE sql AS 'SELECT $1'" >/dev/null
}
counters()
{
	q "SELECT string_agg(bucket || ':' || n, ' ' ORDER BY bucket)
		FROM sortie.tally WHERE kind_id = 2"
}
for now in 9998 9999 0; do
	era $now
	submit 2 $((now % 7 + 1)) >/dev/null
done
is "$(counters)" "0:1 1999600000:3 1999800000:4" "counters have a row an era"
stmt duty_tally >/dev/null
is "$(counters)" "-1:3 0:1 1999800000:4" "one that is over is folded, but for the last"
era 2
submit 2 10 >/dev/null
stmt duty_tally >/dev/null
is "$(counters)" "-1:8 400000:10" "later that one, too"
q "UPDATE sortie.tally_minute SET minute = minute - 2" >/dev/null
stmt duty_tally >/dev/null
is "$(q "SELECT bucket, sum(n) FROM sortie.tally_minute WHERE kind_id = 2 GROUP BY bucket")" \
	"-1|18" "and so are those of minutes"
audit_clean "at the end"
finish
