/* The tools that share sortied's program and its way to the database. */
#include "server/tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "lib/buf.h"
#include "lib/log.h"
#include "server/audit.h"
#include "server/audit.h"
#include "server/auth.h"
#include "server/db.h"
#include "server/embedded.h"
#include "server/options.h"
#include "server/prepare.h"
#include "server/route.h"
#include "server/server.h"

#define STATUS_BREACHES 3

static void print_route(const struct route *r, void *arg)
{
	bool first = true;

	(void)arg;
	printf("%s %s ", r->method, r->path);
	for (int role = ROLE_NONE; role <= ROLE_JOB; role++) {
		if ((r->may & MAY(role)) == 0)
			continue;
		printf("%s%s", first ? "" : ",",
		       role == ROLE_NONE ? "anybody"
					 : auth_role_name((enum role)role));
		first = false;
	}
	if (r->query != NULL)
		printf(" %s", r->query);
	putchar('\n');
}

int tools_print_routes(void)
{
	route_each(print_route, NULL);
	return 0;
}

/* A tool makes no database. */
static bool is_there(const char *dir)
{
	char *path = xasprintf("%s/pg/PG_VERSION", dir);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

/* Beside a running server its database is used as it is; otherwise it is
 * started for the moment. */
static bool reach(struct server *srv, bool beside, struct err *e)
{
	if (srv->set->embedded != NULL && !is_there(srv->set->embedded))
		return err_set(e, ERR_NOT_FOUND,
			       "there is no database in "
			       "\"%s\": name one with --embedded or "
			       "--database",
			       srv->set->embedded);
	if (prepare_embedded(srv, NULL, e))
		return true;
	if (!beside || e->code != ERR_CONFLICT)
		return false;
	srv->embedded = embedded_attach(srv->set, e);
	if (srv->embedded == NULL)
		return false;
	srv->conninfo = embedded_conninfo(srv->embedded);
	return true;
}

int tools_audit(const struct settings *set)
{
	struct server srv = { .set = set };
	struct err e = ERR_INIT;
	size_t breaches = 0;
	bool ok;

	ok = reach(&srv, true, &e) && audit(srv.conninfo, &breaches, &e);
	embedded_stop(srv.embedded, false);
	if (!ok) {
		log_error("%s", e.text);
		return 1;
	}
	if (breaches > 0)
		return STATUS_BREACHES;
	puts("no breach: counters and limits equal what the rows say");
	return 0;
}

static void on_renewed(const struct db_result *r, size_t row, void *arg)
{
	(void)arg;
	printf("the cluster is now %s\n", db_text(r, row, 0));
}

/* A server that runs has the old identity in its memory. */
int tools_restored(const struct settings *set)
{
	struct server srv = { .set = set };
	struct arena *a = arena_new();
	struct db_sync *db = NULL;
	struct err e = ERR_INIT;
	bool ok = false;

	if (reach(&srv, false, &e))
		db = db_sync_open(srv.conninfo, &e);
	if (db != NULL)
		ok = db_sync_run(db, "cluster_renew", db_params_new(a),
				 on_renewed, NULL, &e);
	db_sync_close(db);
	embedded_stop(srv.embedded, false);
	arena_free(a);
	if (!ok)
		log_error("%s", e.text);
	return ok ? 0 : 1;
}
