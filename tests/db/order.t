#!/bin/bash
# I9: claim_1 grants exactly what a model of one loop over all queued jobs does.
#
# ORDER_SEED says which random queues, ORDER_ROUNDS (default 100) how many.
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$abs_top_srcdir/tests/db/lib.sh"
db_start
rounds=${ORDER_ROUNDS:-100}
seed=${ORDER_SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
echo "# ORDER_SEED=$seed ORDER_ROUNDS=$rounds"

psql -qXv ON_ERROR_STOP=1 -f "$abs_top_srcdir/tests/db/order.sql"
is "$(sql "SELECT * FROM t.order_rounds(($seed % 60000) / 60000.0, $rounds)" \
	2>&1 | head -n 6)" "" "$rounds rounds are as the model has them"
echo "# $(sql "SELECT count(*) || ' grants' FROM sortie.run")," \
	"$(sql "SELECT count(*) || ' of them live' FROM sortie.live")," \
	"$(sql "SELECT count(*) || ' jobs queued' FROM sortie.queue")"
is_sound "grants"

# A class that is read again and again, deeper each time.
db_new deep
sql "SELECT t.submit(1, 1, jsonb_build_object('jobtype', 'j' || i), -1)
	FROM generate_series(1, 20) AS i" >/dev/null
first=$(sql "SELECT t.submit(1, 2000, '{}')")
is "$(sql "SELECT count(*) || ' ' || min(number) || ' ' || max(number)
	FROM t.claims(1, ARRAY[t.pilot(1500, 1500)], '{1}', 1500)
	WHERE what = 'g'")" "1500 $first $((first + 1499))" \
	"one class may fill a big pilot, in order"
# Classes in turn: each job behind one of another class.
sql "SELECT t.submit(1, 1, jsonb_build_object('jobtype', 'j' || i % 3), 1)
	FROM generate_series(1, 300) AS i" >/dev/null
is "$(sql "SELECT count(*) || ' ' || max(number) - min(number)
	FROM t.claims(1, ARRAY[t.pilot(200, 1500)], '{1}', 200)
	WHERE what = 'g'")" "200 199" "classes that take turns keep the order"
is_sound "rounds"
finish
