/*
 * Service time: a tick is taken at most once a second, after a turn of the
 * loop that has served every readable socket, and after the reports that were
 * queued then are committed.  So a server that was stopped, swapped out or
 * cut off from the database counts no time against its pilots.
 */
#include "server/lease.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/arena.h"
#include "lib/log.h"
#include "server/db.h"
#include "server/lanes_int.h"
#include "server/metrics.h"
#include "server/options.h"
#include "server/settled.h"
#include "server/wake.h"

#define TICK_MS 1000
#define SETTLE_MS 5    /* between looks at the report lane */
#define TURNS 2        /* of the loop, between timer and tick */
#define STILL_TICKS 10 /* of ours, after which a server is dead */
#define EXPIRE_MAX 100 /* pilots a statement gives up */
#define OTHERS_MAX 1000
#define STATEMENT_MS 10000

/* Another server's row, and for how many of our ticks it has not moved. */
struct other {
	int64_t server;
	int64_t ticks;
	int still;
	bool seen;
};

enum { TICKS, EXPIRED, ADOPTED, N_METRICS };

struct lease {
	struct server *srv;
	struct db_conn *conn;
	struct event *timer;
	struct arena *arena; /* of the statement in flight */
	int64_t ticks;
	int turns;
	uint64_t mark; /* reports put when the turn ended */
	struct other *other;
	size_t n_others;
	struct metric **metric;
};

static void lease_tick(struct lease *l);
static void lease_expire(struct lease *l);
static void lease_adopt(struct lease *l);

int64_t lease_until(const struct server *srv)
{
	return srv->lease->ticks + srv->set->lease_s;
}

bool lease_others(const struct lease *l)
{
	return l->n_others > 0;
}

static void sleep_ms(struct lease *l, int ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

	evtimer_add(l->timer, &tv);
}

static void lease_rest(struct lease *l)
{
	l->turns = 0;
	sleep_ms(l, TICK_MS);
}

static struct db_params *params_new(struct lease *l)
{
	arena_free(l->arena);
	l->arena = arena_new();
	return db_params_new(l->arena);
}

static void start_params(struct db_params *p)
{
	char host[256] = "";

	if (gethostname(host, sizeof(host) - 1) != 0)
		host[0] = '\0';
	db_p_text(p, host);
	db_p_text(p, "");
	db_p_text(p, PACKAGE_VERSION);
}

static void row_take(struct server *srv, const struct db_result *r, size_t row)
{
	srv->server_id = db_i64(r, row, 0);
	srv->bucket = (int32_t)db_i64(r, row, 1) * BUCKETS;
}

static void on_open(const struct db_result *r, size_t row, void *arg)
{
	row_take(arg, r, row);
}

bool lease_open(struct server *srv, struct db_sync *db, struct err *e)
{
	struct arena *a = arena_new();
	struct db_params *p = db_params_new(a);
	bool ok;

	start_params(p);
	ok = db_sync_run(db, "server_start", p, on_open, srv, e);
	arena_free(a);
	return ok;
}

/* Our row was adopted while we were away: begin anew, with no pilots. */
static void on_restarted(enum db_outcome o, const struct db_result *r,
			 const struct db_fault *f, void *arg)
{
	struct lease *l = arg;

	(void)f;
	if (o == DB_OK) {
		row_take(l->srv, r, 0);
		l->ticks = 0;
		log_warn(
			"this server stood still and was given up by another; it goes on as server %lld",
			(long long)l->srv->server_id);
	}
	lease_rest(l);
}

static void lease_restart(struct lease *l)
{
	struct db_params *p = params_new(l);

	start_params(p);
	db_conn_run(l->conn, "server_start", p, on_restarted, l);
}

static void other_note(struct lease *l, int64_t server, int64_t ticks)
{
	struct other *x;

	for (size_t i = 0; i < l->n_others; i++) {
		x = &l->other[i];
		if (x->server != server)
			continue;
		x->still = x->ticks == ticks ? x->still + 1 : 0;
		x->ticks = ticks;
		x->seen = true;
		return;
	}
	if (l->n_others == OTHERS_MAX)
		return;
	x = &l->other[l->n_others++];
	*x = (struct other){ .server = server, .ticks = ticks, .seen = true };
}

static void others_sweep(struct lease *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_others; i++) {
		if (!l->other[i].seen)
			continue;
		l->other[n] = l->other[i];
		l->other[n++].seen = false;
	}
	l->n_others = n;
}

/* Rows: all servers, ours too, unless it is gone. */
static void on_ticked(enum db_outcome o, const struct db_result *r,
		      const struct db_fault *f, void *arg)
{
	struct lease *l = arg;
	bool ours = false;

	(void)f;
	if (o != DB_OK) {
		lease_rest(l);
		return;
	}
	for (size_t row = 0; row < db_rows(r); row++) {
		int64_t server = db_i64(r, row, 0);

		if (server == l->srv->server_id)
			ours = true;
		else
			other_note(l, server, db_i64(r, row, 1));
	}
	others_sweep(l);
	if (!ours) {
		lease_restart(l);
		return;
	}
	l->ticks++;
	metric_add(l->metric[TICKS], 1);
	lease_expire(l);
}

static void lease_tick(struct lease *l)
{
	struct db_params *p;

	if (!db_conn_ready(l->conn)) {
		lease_rest(l);
		return;
	}
	p = params_new(l);
	db_p_i64(p, l->srv->server_id);
	db_p_i64(p, l->ticks + 1);
	db_conn_run(l->conn, "server_tick", p, on_ticked, l);
}

enum { COL_WHAT, COL_NUMBER, COL_RUNS };

static void on_expired(enum db_outcome o, const struct db_result *r,
		       const struct db_fault *f, void *arg)
{
	struct lease *l = arg;
	int64_t runs = 0, pilots = 0;

	(void)f;
	if (o != DB_OK) {
		lease_rest(l);
		return;
	}
	for (size_t row = 0; row < db_rows(r); row++) {
		if (db_text(r, row, COL_WHAT)[0] != 'p') {
			settled_row(l->srv, r, row, COL_WHAT, COL_NUMBER);
			continue;
		}
		log_info("pilot %s is lost: its lease is over (%s runs)",
			 db_text(r, row, COL_NUMBER),
			 db_text(r, row, COL_RUNS));
		runs += db_i64(r, row, COL_RUNS);
		pilots++;
	}
	metric_add(l->metric[EXPIRED], pilots);
	if (runs > 0)
		wake_work(l->srv);
	if (pilots > 0)
		wake_events(l->srv);
	if (pilots == EXPIRE_MAX)
		lease_expire(l);
	else
		lease_adopt(l);
}

static void lease_expire(struct lease *l)
{
	struct db_params *p = params_new(l);

	db_p_i32(p, lanes_bucket(l->srv, BUCKET_LEASE));
	db_p_i32(p, (int32_t)l->srv->set->loss_budget);
	db_p_i64(p, l->srv->server_id);
	db_p_i64(p, l->ticks);
	db_p_i32(p, EXPIRE_MAX);
	db_conn_run(l->conn, "pilots_expire", p, on_expired, l);
}

static void on_adopted(enum db_outcome o, const struct db_result *r,
		       const struct db_fault *f, void *arg)
{
	struct lease *l = arg;

	(void)f;
	if (o == DB_OK) {
		log_info("a server stands still: %s pilots are ours now",
			 db_text(r, 0, 0));
		metric_add(l->metric[ADOPTED], db_i64(r, 0, 0));
	}
	lease_rest(l);
}

/* One dead server a tick. */
static void lease_adopt(struct lease *l)
{
	for (size_t i = 0; i < l->n_others; i++) {
		struct other *x = &l->other[i];
		struct db_params *p;

		if (x->still < STILL_TICKS)
			continue;
		x->still = 0;
		p = params_new(l);
		db_p_i64(p, l->srv->server_id);
		db_p_i64(p, lease_until(l->srv));
		db_p_i64(p, x->server);
		db_p_i64(p, x->ticks);
		db_conn_run(l->conn, "server_adopt", p, on_adopted, l);
		return;
	}
	lease_rest(l);
}

/*
 * The timer's first call only notes that a second is over.  The turns that
 * follow read what was readable; then the reports among it are waited for.
 */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct lease *l = arg;
	const struct lane *reports = l->srv->lanes->report;

	(void)fd;
	(void)what;
	if (l->turns < TURNS) {
		l->turns++;
		l->mark = lane_n_put(reports);
		sleep_ms(l, 0);
		return;
	}
	if (lane_n_done(reports) < l->mark) {
		sleep_ms(l, SETTLE_MS);
		return;
	}
	lease_tick(l);
}

struct lease *lease_new(struct server *srv)
{
	static const struct metric_def defs[N_METRICS] = {
		[TICKS] = { "sortie_service_ticks_total", NULL, METRIC_COUNTER,
			    "Seconds of service time." },
		[EXPIRED] = { "sortie_pilots_expired_total", NULL,
			      METRIC_COUNTER,
			      "Pilots given up: their lease ended." },
		[ADOPTED] = { "sortie_pilots_adopted_total", NULL,
			      METRIC_COUNTER,
			      "Pilots taken from dead servers." },
	};
	struct lease *l = xcalloc(1, sizeof(*l));

	l->srv = srv;
	l->other = xcalloc(OTHERS_MAX, sizeof(*l->other));
	l->metric = metrics_register(srv->metrics, defs, N_METRICS);
	l->conn = db_conn_new(srv->db, "lease", STATEMENT_MS);
	l->timer = evtimer_new(srv->base, on_timer, l);
	lease_rest(l);
	return l;
}

void lease_free(struct lease *l)
{
	if (l == NULL)
		return;
	event_free(l->timer);
	arena_free(l->arena);
	free(l->other);
	free(l);
}
