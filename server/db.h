/*
 * The only module that talks libpq.  Statements are named (sql/stmt/NAME.sql,
 * embedded at build time), prepared on each connection at first use, and run
 * one at a time on a connection: lanes own one connection each, everything
 * else shares a small pool with a bounded queue.  Nothing blocks the loop but
 * db_sync_* (start-up, tools).
 *
 * Failures are classed by SQLSTATE so that one place decides what a caller
 * does: DB_AWAY (connection lost, not sent or refused by a shutting-down
 * server: 503), DB_UNKNOWN (lost after it was sent: outcome_unknown),
 * DB_RETRY (class 40: run it again), DB_DATA (classes 22, 23 and our own
 * `SO…` codes: the request's fault), DB_BUG (anything else: 500, logged).
 */
#ifndef SORTIE_SERVER_DB_H
#define SORTIE_SERVER_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"

struct event_base;
struct db;      /* all connections of this process */
struct db_conn; /* one connection of its own (a lane's) */

enum db_outcome { DB_OK, DB_AWAY, DB_UNKNOWN, DB_RETRY, DB_DATA, DB_BUG };

/* Borrowed during the callback only. */
struct db_result;
size_t db_rows(const struct db_result *r);
bool db_is_null(const struct db_result *r, size_t row, int col);
const char *db_text(const struct db_result *r, size_t row, int col);
size_t db_len(const struct db_result *r, size_t row, int col);
int64_t db_i64(const struct db_result *r, size_t row, int col);
bool db_bool(const struct db_result *r, size_t row, int col); /* "t" */
/* bytea in text format, decoded into b. */
bool db_bytes(const struct db_result *r, size_t row, int col, struct buf *b);

struct db_fault { /* outcome != DB_OK */
	char sqlstate[6];
	struct err err;     /* for the client: fitting code and sentence */
	const char *detail; /* JSON object for the client, or NULL; borrowed
				   during the callback */
	char detail_room[256];
};

/* What a row says of its own request, as if the statement had failed of it:
 * SQLSTATE (one of ours), sentence and detail in three columns from col on. */
enum db_outcome db_fault_row(struct db_fault *fault, const struct db_result *r,
			     size_t row, int col);

typedef void db_done_fn(enum db_outcome outcome, const struct db_result *r,
			const struct db_fault *fault, void *arg);

/*
 * Parameters: text values, numbers, and arrays in PostgreSQL's binary form
 * (no quoting, no parsing).  A set belongs to an arena and is used once.
 */
struct db_params;
struct db_params *db_params_new(struct arena *a);
void db_p_text(struct db_params *p, const char *s); /* NULL ok */
void db_p_i64(struct db_params *p, int64_t v);
void db_p_i32(struct db_params *p, int32_t v);
void db_p_bool(struct db_params *p, bool v);
void db_p_bytes(struct db_params *p, const void *v, size_t len);
void db_p_null(struct db_params *p);
/* Arrays are built element by element, then added. */
struct db_array;
enum db_elem { DB_I16, DB_I32, DB_I64, DB_BOOL, DB_TEXT, DB_BYTEA };
struct db_array *db_array_new(struct arena *a, enum db_elem elem);
void db_a_i64(struct db_array *v, int64_t x); /* any integer type,
							   bool */
void db_a_text(struct db_array *v, const char *s, size_t len);
void db_a_null(struct db_array *v);
size_t db_a_len(const struct db_array *v);
void db_p_array(struct db_params *p, struct db_array *v);

struct db_settings {
	const char *conninfo;
	/* The UUID that every connection must find there, or it is none: what
	 * stands behind the address may change. NULL: not looked at. */
	const char *cluster;
	int pool;                     /* connections, default 4 */
	int queue_max;                /* waiting statements, default 2,000 */
	int64_t statement_timeout_ms; /* pool: 10,000; lanes: 30,000 */
};

struct db *db_new(struct event_base *base, const struct db_settings *s);
void db_free(struct db *db);
bool db_up(const struct db *db); /* at least one pool connection */

/* Counts in m, from now on, how long statements take and wait; what the counters
 * are made of lives in the arena. */
struct metrics;
void db_measure(struct db *db, struct metrics *m, struct arena *a);

/* Runs a named statement on the pool. done is called exactly once, later.
 * Beyond the queue's bound whoever has most in it gets DB_AWAY (from the
 * loop). */
void db_run(struct db *db, const char *stmt, struct db_params *p,
	    db_done_fn *done, void *arg);
/* Whose statements db_run is given from now on: owners take turns. 0: the
 * server's own. Inside of done it is whose statement that was. */
void db_owner_set(struct db *db, int64_t owner);

/* A connection of one's own: one statement at a time, reconnects by itself. */
struct db_conn *db_conn_new(struct db *db, const char *name,
			    int64_t statement_timeout_ms);
bool db_conn_ready(const struct db_conn *c); /* idle and connected */
void db_conn_on_ready(struct db_conn *c, void (*fn)(void *arg), void *arg);
/* It is down and the last attempt to connect failed; fn is called after each
 * such attempt. */
bool db_conn_failing(const struct db_conn *c);
void db_conn_on_failing(struct db_conn *c, void (*fn)(void *arg), void *arg);
void db_conn_run(struct db_conn *c, const char *stmt, struct db_params *p,
		 db_done_fn *done, void *arg);
/* LISTEN; notify is called for each notification, and once with payload NULL
 * after every (re)connect. */
void db_conn_listen(struct db_conn *c, const char *channel,
		    void (*notify)(const char *payload, void *arg), void *arg);

/* Blocking helpers for start-up and tools (--audit, migrations). */
struct db_sync;
struct db_sync *db_sync_open(const char *conninfo, struct err *e);
bool db_sync_exec(struct db_sync *s, const char *sql, struct err *e)
	MUST_CHECK; /* several statements, no parameters */
bool db_sync_run(struct db_sync *s, const char *stmt, struct db_params *p,
		 void (*each)(const struct db_result *r, size_t row, void *arg),
		 void *arg, struct err *e) MUST_CHECK;
void db_sync_close(struct db_sync *s);

/* The one way from a database fault to an HTTP error; see the table above. */
struct req;
void db_reply_fault(struct req *r, enum db_outcome o,
		    const struct db_fault *fault);

#endif
