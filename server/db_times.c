/* Times of statements, each a histogram of its own in /metrics. */
#include "server/db_conn.h"

#include "lib/clock.h"
#include "server/db_turns.h"
#include "server/metrics.h"

static int64_t waits_now(void *arg)
{
	return db_turns_waiting(((struct db *)arg)->turns);
}

void db_measure(struct db *db, struct metrics *m, struct arena *a)
{
	static const struct metric_def wait = {
		"sortie_pool_wait_seconds", NULL, METRIC_SECONDS,
		"Time that statements waited for a connection of the pool."
	};
	static const struct metric_def waiting = {
		"sortie_pool_queued", NULL, METRIC_GAUGE,
		"Statements that wait for a connection of the pool."
	};
	struct metric_def *defs =
		ARENA_ARRAY(a, struct metric_def, n_sql_stmts);

	for (size_t i = 0; i < n_sql_stmts; i++)
		defs[i] = (struct metric_def){
			"sortie_statement_seconds",
			arena_printf(a, "statement=\"%s\"", sql_stmts[i].name),
			METRIC_SECONDS_SEEN,
			"Time of a statement in the database, the way there "
			"included."
		};
	db->times = metrics_register(m, defs, n_sql_stmts);
	db->wait_times = *metrics_register(m, &wait, 1);
	metrics_gauge_fn(m, &waiting, waits_now, db);
}

void db_time_statement(const struct db_conn *c)
{
	if (c->db->times != NULL)
		metric_observe_us(c->db->times[c->stmt],
				  clock_mono_us() - c->sent_us);
}

void db_time_wait(const struct db_wait *w)
{
	if (w->db->wait_times != NULL)
		metric_observe_us(w->db->wait_times,
				  clock_mono_us() - w->queued_us);
}
