/*
 * The insides of a connection and of the whole module, shared by db_conn.c
 * and db.c only.
 */
#ifndef SORTIE_SERVER_DB_CONN_H
#define SORTIE_SERVER_DB_CONN_H

#include <sys/queue.h>
#include "server/db_int.h"

struct event;
struct metric;

enum conn_state {
	CONN_DOWN, /* waits for the next attempt */
	CONN_CONNECTING,
	CONN_CHECKING,    /* whose database it is */
	CONN_SUBSCRIBING, /* LISTEN is on its way */
	CONN_IDLE,
	CONN_PREPARING,
	CONN_RUNNING
};

struct db_conn {
	LIST_ENTRY(db_conn) link;
	struct db *db;
	char *name;
	struct db_options options;
	PGconn *pg;
	struct event *ev;
	struct event *timer; /* back-off, or the attempt's deadline */
	int fd;
	short what;
	enum conn_state state;
	int64_t backoff_ms;
	bool quiet;     /* the failure has been logged */
	bool broken;    /* sending failed; the timer tells */
	bool *prepared; /* by index of the statement */
	PGresult *kept;
	size_t stmt;
	int64_t sent_us; /* when it was asked for */
	struct db_params *params;
	db_done_fn *done; /* NULL: nobody waits */
	void *arg;
	void (*on_ready)(void *arg);
	void *ready_arg;
	void (*on_failing)(void *arg);
	void *failing_arg;
	void (*on_change)(struct db *db); /* up, down, or an attempt
						   failed */
	char *channel;
	void (*notify)(const char *payload, void *arg);
	void *notify_arg;
};

void db_conn_free(struct db_conn *c);

/* A callback that is owed a failure, from the loop. */
struct db_owed {
	STAILQ_ENTRY(db_owed) link;
	db_done_fn *done;
	void *arg;
};

struct db_wait;

struct db {
	struct event_base *base;
	char *conninfo;
	char *cluster; /* whose database it must be; NULL: anybody's */
	LIST_HEAD(, db_conn) conns; /* all, the pool's too */
	struct db_conn **pool;
	int n_pool;
	bool failing;
	struct db_turns *turns;
	int64_t owner; /* whose statements are being asked for */
	STAILQ_HEAD(, db_owed) owed;
	struct event *owed_ev;
	struct metric **times; /* by statement; NULL: not measured */
	struct metric *wait_times;
};

/* done(DB_AWAY) from the loop. */
void db_fail_later(struct db *db, db_done_fn *done, void *arg);

/* db_times.c: a statement is over; one has found its connection. */
void db_time_statement(const struct db_conn *c);
void db_time_wait(const struct db_wait *w);

#endif
