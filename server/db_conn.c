/*
 * One connection to the database, driven by the loop: it connects and
 * reconnects by itself, prepares a statement when it meets it first, and runs
 * one statement at a time.
 */
#include "server/db_conn.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include "lib/clock.h"
#include "lib/log.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 2000
#define CONNECT_MS_PER_HOST 10000

static void on_socket(evutil_socket_t fd, short what, void *arg);

static void timer_set(struct db_conn *c, int64_t ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

	evtimer_add(c->timer, &tv);
}

/* libpq may change its socket with every poll: the event is made anew. */
static void conn_listen_for(struct db_conn *c, short what)
{
	int fd = PQsocket(c->pg);

	if (c->ev != NULL && c->fd == fd && c->what == what &&
	    c->state != CONN_CONNECTING)
		return;
	if (c->ev != NULL)
		event_free(c->ev);
	c->fd = fd;
	c->what = what;
	c->ev = event_new(c->db->base, fd, (short)(what | EV_PERSIST),
			  on_socket, c);
	if (c->ev == NULL || event_add(c->ev, NULL) != 0)
		BUG("cannot wait for the database's socket");
}

static void conn_close(struct db_conn *c)
{
	if (c->ev != NULL)
		event_free(c->ev);
	c->ev = NULL;
	PQfinish(c->pg);
	c->pg = NULL;
	PQclear(c->kept);
	c->kept = NULL;
	memset(c->prepared, 0, n_sql_stmts);
	c->state = CONN_DOWN;
	c->broken = false;
}

/* Hands the outcome to whoever asked; the connection may be used again from
 * inside the callback. */
static void conn_finish(struct db_conn *c, enum db_outcome outcome,
			PGresult *res, const struct db_fault *fault)
{
	struct db_result r = { res };
	db_done_fn *done = c->done;
	void *arg = c->arg;

	db_time_statement(c);
	c->done = NULL;
	c->params = NULL;
	done(outcome, outcome == DB_OK ? &r : NULL, fault, arg);
	PQclear(res);
}

static void conn_ready(struct db_conn *c)
{
	if (c->state == CONN_IDLE && c->on_ready != NULL)
		c->on_ready(c->ready_arg);
}

/* Writes what is left; then reads, or both while the peer is slow. */
static bool conn_flush(struct db_conn *c)
{
	int left = PQflush(c->pg);

	if (left < 0)
		return false;
	conn_listen_for(c, left > 0 ? EV_READ | EV_WRITE : EV_READ);
	return true;
}

static bool conn_send(struct db_conn *c)
{
	const struct sql_stmt *stmt = &sql_stmts[c->stmt];

	if (!c->prepared[c->stmt]) {
		c->state = CONN_PREPARING;
		return PQsendPrepare(c->pg, stmt->name, stmt->text, 0, NULL) &&
		       conn_flush(c);
	}
	c->state = CONN_RUNNING;
	return PQsendQueryPrepared(c->pg, stmt->name, c->params->n,
				   c->params->value, c->params->len,
				   c->params->format, 0) &&
	       conn_flush(c);
}

static bool result_good(const PGresult *res)
{
	ExecStatusType s = PQresultStatus(res);

	return s == PGRES_TUPLES_OK || s == PGRES_COMMAND_OK;
}

/* Keeps the first error, else the last result. */
static void conn_keep(struct db_conn *c, PGresult *res)
{
	if (c->kept != NULL && !result_good(c->kept)) {
		PQclear(res);
		return;
	}
	PQclear(c->kept);
	c->kept = res;
}

/* What the database said before it went away, if it said anything. */
static void conn_drain(struct db_conn *c)
{
	PGresult *res;

	/* On a dead connection libpq gives what it has and then NULL. */
	for (int i = 0; i < 100 && (res = PQgetResult(c->pg)) != NULL; i++)
		conn_keep(c, res);
}

static void conn_lost(struct db_conn *c, const char *why)
{
	bool was_up = c->state >= CONN_IDLE;
	bool busy = c->done != NULL;
	struct db_fault fault;
	enum db_outcome outcome = DB_AWAY;

	/* libpq explains over several lines; the first says it. */
	if (!c->quiet)
		log_warn("database: connection \"%s\": %.*s", c->name,
			 (int)strcspn(why, "\n"), why);
	/* One line for a failure that repeats. */
	c->quiet = !was_up;
	if (busy) {
		bool refused = c->kept != NULL && !result_good(c->kept);

		outcome = db_fault_fill(&fault, c->pg, refused ? c->kept : NULL,
					c->state == CONN_RUNNING, false);
		fault.detail = NULL;
	}
	conn_close(c);
	if (!was_up)
		db_options_turn(&c->options);
	timer_set(c, c->backoff_ms);
	c->backoff_ms = c->backoff_ms * 2 < BACKOFF_MAX_MS ? c->backoff_ms * 2
							   : BACKOFF_MAX_MS;
	if (busy)
		conn_finish(c, outcome, NULL, &fault);
	if (c->on_change != NULL)
		c->on_change(c->db);
	if (!was_up && c->on_failing != NULL)
		c->on_failing(c->failing_arg);
}

static void conn_up(struct db_conn *c)
{
	evtimer_del(c->timer);
	c->state = CONN_IDLE;
	c->backoff_ms = BACKOFF_MIN_MS;
	if (c->quiet)
		log_info("database: connection \"%s\" is up again", c->name);
	c->quiet = false;
	if (c->on_change != NULL)
		c->on_change(c->db);
	conn_ready(c);
}

static void conn_subscribe(struct db_conn *c)
{
	char *name = PQescapeIdentifier(c->pg, c->channel, strlen(c->channel));
	char *text = xasprintf("LISTEN %s", name != NULL ? name : "");

	c->state = CONN_SUBSCRIBING;
	if (name == NULL || !PQsendQuery(c->pg, text) || !conn_flush(c))
		conn_lost(c, PQerrorMessage(c->pg));
	PQfreemem(name);
	free(text);
}

static void conn_accept(struct db_conn *c)
{
	if (c->channel != NULL)
		conn_subscribe(c);
	else
		conn_up(c);
}

/* Tokens, numbers and runs mean something in their own cluster only: another
 * database behind the same address must not be asked about them. */
static void conn_check(struct db_conn *c)
{
	c->state = CONN_CHECKING;
	if (!PQsendQuery(c->pg, sql_stmts[db_stmt_find("cluster_get")].text) ||
	    !conn_flush(c))
		conn_lost(c, PQerrorMessage(c->pg));
}

static void conn_checked(struct db_conn *c)
{
	char why[256] = "the database there names no cluster";
	const char *found;

	if (c->kept == NULL || !result_good(c->kept)) {
		conn_lost(c, PQresultErrorMessage(c->kept));
		return;
	}
	if (PQntuples(c->kept) == 1) {
		found = PQgetvalue(c->kept, 0, 0);
		if (strcmp(found, c->db->cluster) == 0) {
			PQclear(c->kept);
			c->kept = NULL;
			conn_accept(c);
			return;
		}
		snprintf(why, sizeof(why),
			 "the database there is another cluster's (%s): "
			 "waiting for our own; start the server again if this "
			 "one is meant",
			 found);
	}
	conn_lost(c, why);
}

static void conn_poll(struct db_conn *c)
{
	PostgresPollingStatusType s = PQconnectPoll(c->pg);

	if (s == PGRES_POLLING_READING || s == PGRES_POLLING_WRITING) {
		conn_listen_for(c, s == PGRES_POLLING_READING ? EV_READ
							      : EV_WRITE);
		return;
	}
	if (s != PGRES_POLLING_OK || PQsetnonblocking(c->pg, 1) != 0) {
		conn_lost(c, PQerrorMessage(c->pg));
		return;
	}
	c->state = CONN_IDLE;
	c->what = 0;
	conn_listen_for(c, EV_READ);
	if (c->db->cluster != NULL)
		conn_check(c);
	else
		conn_accept(c);
}

static void notice_quietly(void *arg, const PGresult *res)
{
	(void)arg;
	log_debug("database: %s", PQresultErrorMessage(res));
}

static void conn_connect(struct db_conn *c)
{
	c->state = CONN_CONNECTING;
	c->pg = PQconnectStartParams(c->options.key, c->options.value, 0);
	if (c->pg == NULL || PQstatus(c->pg) == CONNECTION_BAD) {
		conn_lost(c,
			  c->pg != NULL ? PQerrorMessage(c->pg) : "no memory");
		return;
	}
	PQsetNoticeReceiver(c->pg, notice_quietly, NULL);
	timer_set(c, (int64_t)CONNECT_MS_PER_HOST * c->options.hosts);
	conn_listen_for(c, EV_WRITE);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct db_conn *c = arg;

	(void)fd;
	(void)what;
	if (c->broken)
		conn_lost(c, PQerrorMessage(c->pg));
	else if (c->state == CONN_DOWN)
		conn_connect(c);
	else if (c->state < CONN_IDLE)
		conn_lost(c, "the connection was not made in time");
}

/* The statement's last result has been read. */
static void conn_done(struct db_conn *c)
{
	PGresult *res = c->kept;
	bool sent = c->state == CONN_RUNNING;
	struct db_fault fault;
	enum db_outcome outcome;

	if (PQstatus(c->pg) != CONNECTION_OK ||
	    PQtransactionStatus(c->pg) != PQTRANS_IDLE) {
		conn_lost(c, PQerrorMessage(c->pg));
		return;
	}
	if (c->state == CONN_CHECKING) {
		conn_checked(c);
		return;
	}
	c->kept = NULL;
	if (c->state == CONN_SUBSCRIBING) {
		PQclear(res);
		conn_up(c);
		if (c->state == CONN_IDLE)
			c->notify(NULL, c->notify_arg);
		return;
	}
	if (res != NULL && result_good(res)) {
		if (!sent) {
			PQclear(res);
			c->prepared[c->stmt] = true;
			if (!conn_send(c))
				conn_lost(c, PQerrorMessage(c->pg));
			return;
		}
		c->state = CONN_IDLE;
		conn_finish(c, DB_OK, res, NULL);
		conn_ready(c);
		return;
	}
	outcome = db_fault_fill(&fault, c->pg, res, sent, true);
	c->state = CONN_IDLE;
	conn_finish(c, outcome, res, &fault);
	conn_ready(c);
}

static void conn_notices(struct db_conn *c)
{
	PGnotify *n;

	while (c->pg != NULL && (n = PQnotifies(c->pg)) != NULL) {
		if (c->notify != NULL)
			c->notify(n->extra, c->notify_arg);
		PQfreemem(n);
	}
}

static void conn_read(struct db_conn *c)
{
	PGresult *res;

	if (!PQconsumeInput(c->pg)) {
		conn_drain(c);
		conn_lost(c, PQerrorMessage(c->pg));
		return;
	}
	conn_notices(c);
	if (c->state == CONN_IDLE)
		return;
	while (!PQisBusy(c->pg)) {
		res = PQgetResult(c->pg);
		if (res == NULL) {
			conn_done(c);
			return;
		}
		conn_keep(c, res);
		if (PQstatus(c->pg) != CONNECTION_OK) {
			conn_done(c);
			return;
		}
	}
	if (!conn_flush(c))
		conn_lost(c, PQerrorMessage(c->pg));
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct db_conn *c = arg;

	(void)fd;
	if (c->state == CONN_CONNECTING) {
		conn_poll(c);
		return;
	}
	if ((what & EV_WRITE) && !conn_flush(c)) {
		conn_lost(c, PQerrorMessage(c->pg));
		return;
	}
	if (what & EV_READ)
		conn_read(c);
}

struct db_conn *db_conn_new(struct db *db, const char *name,
			    int64_t statement_timeout_ms)
{
	struct db_conn *c = xcalloc(1, sizeof(*c));
	struct err e;

	c->db = db;
	c->name = xasprintf("sortied %s", name);
	if (!db_options_init(&c->options, db->conninfo, c->name,
			     statement_timeout_ms, &e))
		log_die("database: %s", e.text);
	c->prepared = xcalloc(n_sql_stmts + 1, 1);
	c->backoff_ms = BACKOFF_MIN_MS;
	c->fd = -1;
	c->timer = evtimer_new(db->base, on_timer, c);
	LIST_INSERT_HEAD(&db->conns, c, link);
	/* Not from inside this call: the caller has more to set. */
	timer_set(c, 0);
	return c;
}

void db_conn_free(struct db_conn *c)
{
	LIST_REMOVE(c, link);
	conn_close(c);
	event_free(c->timer);
	db_options_fini(&c->options);
	free(c->prepared);
	free(c->channel);
	free(c->name);
	free(c);
}

bool db_conn_ready(const struct db_conn *c)
{
	return c->state == CONN_IDLE && c->done == NULL;
}

void db_conn_on_ready(struct db_conn *c, void (*fn)(void *arg), void *arg)
{
	c->on_ready = fn;
	c->ready_arg = arg;
}

bool db_conn_failing(const struct db_conn *c)
{
	return c->state < CONN_IDLE && c->quiet;
}

void db_conn_on_failing(struct db_conn *c, void (*fn)(void *arg), void *arg)
{
	c->on_failing = fn;
	c->failing_arg = arg;
}

void db_conn_run(struct db_conn *c, const char *stmt, struct db_params *p,
		 db_done_fn *done, void *arg)
{
	if (c->done != NULL)
		BUG("connection %s is asked for two statements", c->name);
	if (c->state != CONN_IDLE) {
		db_fail_later(c->db, done, arg);
		return;
	}
	c->stmt = db_stmt_find(stmt);
	c->sent_us = clock_mono_us();
	c->params = p;
	c->done = done;
	c->arg = arg;
	/* Never from inside this call: the loop tells about it. */
	if (!conn_send(c)) {
		c->broken = true;
		timer_set(c, 0);
	}
}

void db_conn_listen(struct db_conn *c, const char *channel,
		    void (*notify)(const char *payload, void *arg), void *arg)
{
	if (c->state != CONN_DOWN)
		BUG("connection %s is too old to listen", c->name);
	c->channel = xstrdup(channel);
	c->notify = notify;
	c->notify_arg = arg;
}
