/*
 * All connections of this process, and the pool, on which statements that
 * belong to no lane wait their turn.
 */
#include "server/db_conn.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include "lib/clock.h"
#include "lib/log.h"
#include "server/db_turns.h"

#define TRIES_MAX 5
#define POOL_DEFAULT 4
#define QUEUE_DEFAULT 2000
#define STATEMENT_MS_DEFAULT 10000

static void pool_next(struct db *db);

static void on_owed(evutil_socket_t fd, short what, void *arg)
{
	struct db *db = arg;
	STAILQ_HEAD(, db_owed) now = STAILQ_HEAD_INITIALIZER(now);
	struct db_owed *o;
	struct db_fault fault;

	(void)fd;
	(void)what;
	STAILQ_CONCAT(&now, &db->owed);
	while ((o = STAILQ_FIRST(&now)) != NULL) {
		STAILQ_REMOVE_HEAD(&now, link);
		db_fault_away(&fault, "the database is away; try again soon");
		o->done(DB_AWAY, NULL, &fault, o->arg);
		free(o);
	}
}

void db_fail_later(struct db *db, db_done_fn *done, void *arg)
{
	struct db_owed *o = xcalloc(1, sizeof(*o));

	o->done = done;
	o->arg = arg;
	STAILQ_INSERT_TAIL(&db->owed, o, link);
	event_active(db->owed_ev, EV_TIMEOUT, 1);
}

static int pool_up(const struct db *db)
{
	int n = 0;

	for (int i = 0; i < db->n_pool; i++)
		n += db->pool[i]->state >= CONN_IDLE;
	return n;
}

bool db_up(const struct db *db)
{
	return pool_up(db) > 0;
}

/* The caller's place in the queue is gone. */
static void refuse(struct db_wait *w)
{
	db_fail_later(w->db, w->done, w->arg);
	free(w);
}

static void put(struct db_wait *w)
{
	struct db_wait *out = db_turns_put(w->db->turns, w);

	if (out != NULL)
		refuse(out);
}

static void waits_fail(struct db *db)
{
	struct db_wait *w;

	while ((w = db_turns_drop(db->turns)) != NULL)
		refuse(w);
}

static void on_pool_change(struct db *db)
{
	db->failing = !db_up(db);
	if (db->failing)
		waits_fail(db);
}

static void on_wait_done(enum db_outcome outcome, const struct db_result *r,
			 const struct db_fault *fault, void *arg)
{
	struct db_wait *w = arg;
	struct db *db = w->db;
	int64_t before = db->owner;

	db_turns_ran(db->turns, w);
	if (outcome == DB_RETRY && w->tries < TRIES_MAX) {
		w->tries++;
		put(w);
		return;
	}
	db->owner = w->owner;
	w->done(outcome, r, fault, w->arg);
	db->owner = before;
	free(w);
}

static void pool_next(struct db *db)
{
	struct db_wait *w;

	for (int i = 0; i < db->n_pool; i++) {
		if (!db_conn_ready(db->pool[i]))
			continue;
		w = db_turns_take(db->turns);
		if (w == NULL)
			return;
		db_time_wait(w);
		db_conn_run(db->pool[i], w->stmt, w->params, on_wait_done, w);
	}
}

static void on_pool_ready(void *arg)
{
	pool_next(arg);
}

void db_run(struct db *db, const char *stmt, struct db_params *p,
	    db_done_fn *done, void *arg)
{
	struct db_wait *w;

	if (db->failing && !db_up(db)) {
		db_fail_later(db, done, arg);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->db = db;
	w->owner = db->owner;
	w->stmt = stmt;
	w->params = p;
	w->done = done;
	w->arg = arg;
	w->queued_us = clock_mono_us();
	put(w);
	pool_next(db);
}

void db_owner_set(struct db *db, int64_t owner)
{
	db->owner = owner;
}

/* What waits for an answer that will not come. */
static void wait_drop(db_done_fn *done, void *arg)
{
	if (done == on_wait_done)
		free(arg);
}

struct db *db_new(struct event_base *base, const struct db_settings *s)
{
	struct db *db = xcalloc(1, sizeof(*db));
	int64_t ms = s->statement_timeout_ms > 0 ? s->statement_timeout_ms
						 : STATEMENT_MS_DEFAULT;

	db->base = base;
	db->conninfo = xstrdup(s->conninfo);
	db->cluster = s->cluster != NULL ? xstrdup(s->cluster) : NULL;
	LIST_INIT(&db->conns);
	STAILQ_INIT(&db->owed);
	db->owed_ev = event_new(base, -1, 0, on_owed, db);
	db->n_pool = s->pool > 0 ? s->pool : POOL_DEFAULT;
	db->turns =
		db_turns_new(s->queue_max > 0 ? s->queue_max : QUEUE_DEFAULT,
			     db->n_pool - 1);
	db->pool = xcalloc((size_t)db->n_pool, sizeof(struct db_conn *));
	for (int i = 0; i < db->n_pool; i++) {
		db->pool[i] = db_conn_new(db, "pool", ms);
		db->pool[i]->on_change = on_pool_change;
		db_conn_on_ready(db->pool[i], on_pool_ready, db);
	}
	return db;
}

void db_free(struct db *db)
{
	struct db_conn *c;
	struct db_owed *o;

	if (db == NULL)
		return;
	for (int i = 0; i < db->n_pool; i++)
		wait_drop(db->pool[i]->done, db->pool[i]->arg);
	while ((c = LIST_FIRST(&db->conns)) != NULL)
		db_conn_free(c);
	db_turns_free(db->turns);
	while ((o = STAILQ_FIRST(&db->owed)) != NULL) {
		STAILQ_REMOVE_HEAD(&db->owed, link);
		wait_drop(o->done, o->arg);
		free(o);
	}
	event_free(db->owed_ev);
	free(db->pool);
	free(db->conninfo);
	free(db->cluster);
	free(db);
}
