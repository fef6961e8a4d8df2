/* Blocking use of the database: at start, where nothing else can be done yet,
 * and in tools that do one thing after another. */
#include "server/db_int.h"

#include <stdlib.h>
#include <string.h>

#define CONNECT_S "10"

struct db_sync {
	PGconn *pg;
	bool *prepared;
};

static bool sync_fault(struct db_sync *s, PGresult *res, struct err *e)
{
	struct db_fault fault;

	(void)db_fault_fill(&fault, s->pg, res, true, true);
	/* A tool's user reads the log on the same screen: the whole truth. */
	(void)err_set(e, fault.err.code, "the database says: %s",
		      PQresultErrorMessage(res));
	e->text[strcspn(e->text, "\n")] = '\0';
	PQclear(res);
	return false;
}

struct db_sync *db_sync_open(const char *conninfo, struct err *e)
{
	struct db_sync *s;
	struct db_options o;
	size_t n = 0;

	if (!db_options_init(&o, conninfo, "sortied start", 0, e))
		return NULL;
	while (o.key[n] != NULL)
		n++;
	/* db_options_init leaves room for this one. */
	o.key[n] = "connect_timeout";
	o.value[n] = CONNECT_S;
	s = xcalloc(1, sizeof(*s));
	s->prepared = xcalloc(n_sql_stmts + 1, 1);
	s->pg = PQconnectdbParams(o.key, o.value, 0);
	for (int i = 1; i < o.hosts && PQstatus(s->pg) != CONNECTION_OK; i++) {
		PQfinish(s->pg);
		db_options_turn(&o);
		s->pg = PQconnectdbParams(o.key, o.value, 0);
	}
	db_options_fini(&o);
	if (s->pg != NULL && PQstatus(s->pg) == CONNECTION_OK)
		return s;
	(void)err_set(e, ERR_UNAVAILABLE, "the database cannot be reached: %s",
		      s->pg != NULL ? PQerrorMessage(s->pg) : "no memory");
	e->text[strcspn(e->text, "\n")] = '\0';
	db_sync_close(s);
	return NULL;
}

bool db_sync_exec(struct db_sync *s, const char *sql, struct err *e)
{
	PGresult *res = PQexec(s->pg, sql);
	ExecStatusType st = PQresultStatus(res);

	if (st == PGRES_COMMAND_OK || st == PGRES_TUPLES_OK ||
	    st == PGRES_EMPTY_QUERY) {
		PQclear(res);
		return true;
	}
	return sync_fault(s, res, e);
}

static bool sync_prepare(struct db_sync *s, size_t i, struct err *e)
{
	PGresult *res;

	if (s->prepared[i])
		return true;
	res = PQprepare(s->pg, sql_stmts[i].name, sql_stmts[i].text, 0, NULL);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		return sync_fault(s, res, e);
	PQclear(res);
	s->prepared[i] = true;
	return true;
}

bool db_sync_run(struct db_sync *s, const char *stmt, struct db_params *p,
		 void (*each)(const struct db_result *r, size_t row, void *arg),
		 void *arg, struct err *e)
{
	size_t i = db_stmt_find(stmt);
	struct db_result r;

	if (!sync_prepare(s, i, e))
		return false;
	r.res = PQexecPrepared(s->pg, stmt, p->n, p->value, p->len, p->format,
			       0);
	if (PQresultStatus(r.res) != PGRES_TUPLES_OK &&
	    PQresultStatus(r.res) != PGRES_COMMAND_OK)
		return sync_fault(s, r.res, e);
	for (size_t row = 0; each != NULL && row < db_rows(&r); row++)
		each(&r, row, arg);
	PQclear(r.res);
	return true;
}

void db_sync_close(struct db_sync *s)
{
	if (s == NULL)
		return;
	PQfinish(s->pg);
	free(s->prepared);
	free(s);
}
