/*
 * How the server is: alive, ready, its figures, and the description of its
 * interface.  Readable without a token (figures: from the Unix socket).
 */
#include "server/route.h"

#include <string.h>
#include "lib/buf.h"
#include "server/db.h"
#include "server/metrics.h"
#include "server/migrate.h"
#include "server/openapi_data.h"
#include "server/options.h"
#include "server/server.h"

static void get_healthz(struct req *r)
{
	static const char text[] = "{\"status\":\"ok\"}\n";

	req_reply_json(r, 200, text, sizeof(text) - 1);
}

static void reply_not_ready(struct req *r, const char *warning)
{
	struct buf b = BUF_INIT;

	buf_addf(&b,
		 "{\"status\":\"not ready\",\"database\":false,"
		 "\"schema\":%d,\"synchronous_standby\":false,"
		 "\"warnings\":[",
		 migrate_level());
	buf_json_str(&b, warning);
	buf_adds(&b, "]}\n");
	req_header_add(r, "Retry-After", "1");
	req_reply_buf(r, 503, &b);
	buf_fini(&b);
}

static void on_ready(enum db_outcome o, const struct db_result *res,
		     const struct db_fault *fault, void *arg)
{
	struct req *r = arg;

	if (o == DB_OK && db_rows(res) == 1)
		req_reply_json(r, 200, db_text(res, 0, 0), db_len(res, 0, 0));
	else
		reply_not_ready(r, o == DB_OK ? "the database is empty"
					      : fault->err.text);
}

static void get_readyz(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);

	if (r->srv->draining) {
		reply_not_ready(r, "this server is being stopped");
		return;
	}
	db_p_bool(p, r->srv->set->embedded != NULL);
	db_run(r->srv->db, "ready_get", p, on_ready, r);
}

static void get_metrics(struct req *r)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (r->who.role == ROLE_NONE && !r->unix_socket) {
		err_set(&e, ERR_UNAUTHORIZED,
			"the figures need a token, or "
			"the Unix socket");
		req_reply_err(r, &e);
		return;
	}
	metrics_write(r->srv->metrics, &b);
	req_reply_bytes(r, 200, "text/plain; version=0.0.4; charset=utf-8",
			buf_str(&b), b.len);
	buf_fini(&b);
}

static void get_openapi(struct req *r)
{
	req_reply_json(r, 200, openapi_json, strlen(openapi_json));
}

const struct route routes_health[] = {
	{ "GET", "/healthz", MAY_ANYBODY, NULL, get_healthz },
	{ "GET", "/readyz", MAY_ANYBODY, NULL, get_readyz },
	{ "GET", "/metrics",
	  MAY_ANYBODY | MAY_PEOPLE | MAY(ROLE_JOIN) | MAY(ROLE_PILOT) |
		  MAY(ROLE_JOB),
	  NULL, get_metrics },
	{ "GET", "/openapi.json", MAY_ANYBODY, NULL, get_openapi },
	{ NULL, NULL, 0, NULL, NULL }
};
