/*
 * What the files of db share: parameters, results, faults and the common set
 * of connection options.  Nobody else includes this, nor libpq.
 */
#ifndef SORTIE_SERVER_DB_INT_H
#define SORTIE_SERVER_DB_INT_H

#include <libpq-fe.h>
#include "server/db.h"
#include "sql/sql_data.h"

#define DB_PARAMS_MAX 48

struct db_params {
	struct arena *arena;
	int n;
	const char *value[DB_PARAMS_MAX];
	int len[DB_PARAMS_MAX];
	int format[DB_PARAMS_MAX]; /* 0 text, 1 binary */
};

struct db_result {
	PGresult *res;
};

/* Index into sql_stmts; BUG when there is no such statement. */
size_t db_stmt_find(const char *name);

/* Classes a result that is not a success. sent: it may have been executed;
 * alive: the connection still is. fault->detail is borrowed from res. */
enum db_outcome db_fault_fill(struct db_fault *fault, PGconn *pg,
			      const PGresult *res, bool sent, bool alive);
/* A fault of our own making: DB_AWAY. */
void db_fault_away(struct db_fault *fault, const char *why);

/* Connection options as libpq takes them: what the operator said, and our
 * defaults for what he did not. Heap; freed with db_options_free. */
struct db_options {
	const char **key; /* NULL-terminated */
	const char **value;
	int hosts; /* how many are named, at least 1 */
	PQconninfoOption *parsed;
	char *options;
};
bool db_options_init(struct db_options *o, const char *conninfo,
		     const char *name, int64_t statement_timeout_ms,
		     struct err *e) MUST_CHECK;
/* The next try begins with the next of several hosts: libpq goes on to another
 * by itself only when one refuses the connection or is read-only, not when it
 * takes it and says nothing, or hangs up. */
void db_options_turn(struct db_options *o);
void db_options_fini(struct db_options *o);

#endif
