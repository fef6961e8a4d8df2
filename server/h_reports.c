/* The summary of everything, what `sortie top` shows, and the purge of what has ended. */
#include "server/h_reports.h"

#include <stddef.h>
#include <string.h>
#include "server/lanes.h"
#include "server/route.h"
#include "server/server.h"
#include "server/view.h"
#include "server/wake.h"

#define PURGE_STEP 500
#define OLDER_MAX_S INT64_C(10000000000)

/* GET /api/v1/summary */

static void get_summary(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);

	view_p_who(p, r);
	db_run(r->srv->db, "summary_get", p, view_on_one, r);
}

/* GET /api/v1/top */

static void get_top(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);

	view_p_who(p, r);
	db_run(r->srv->db, "top_get", p, view_on_one, r);
}

/* POST /api/v1/purge: one step; whoever asks comes again while there is
 * more. */

struct wanted {
	int64_t older_s;
	const char *state, *project;
	bool export;
	const char *exported;
};

#define AT(field) offsetof(struct wanted, field)

static const struct json_field wanted_fields[] = {
	{ "older_s", JK_SECONDS, AT(older_s), JF_REQUIRED, 0, OLDER_MAX_S, 0 },
	{ "state", JK_STR, AT(state), 0, 0, 0, 0 },
	{ "project", JK_STR, AT(project), 0, 0, 0, 0 },
	{ "export", JK_BOOL, AT(export), 0, 0, 0, 0 },
	{ "exported", JK_STR, AT(exported), 0, 0, 0, 0 },
};

#undef AT

static const char *const ended[] = { "finished",  "failed", "timelimit",
				     "cancelled", "lost",   "skipped" };

static bool state_ok(const char *state, struct err *e)
{
	for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++) {
		if (state == NULL || strcmp(ended[i], state) == 0)
			return true;
	}
	return err_set(e, ERR_BAD_REQUEST,
		       "\"state\" must be one in which "
		       "jobs have ended, not \"%.50s\"",
		       state);
}

static bool exported_ok(const struct wanted *w, struct err *e)
{
	return w->exported == NULL || w->export ||
	       err_set(e, ERR_BAD_REQUEST, "\"exported\" goes with \"export\"");
}

static void add_deleted(struct buf *b, int64_t deleted, bool more)
{
	buf_addc(b, '{');
	buf_json_kv_i64(b, "deleted", deleted);
	buf_json_kv_bool(b, "more", more);
}

static void on_purged(enum db_outcome o, const struct db_result *res,
		      const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct buf b = BUF_INIT;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	wake_events(r->srv);
	add_deleted(&b, db_i64(res, 0, 0), db_bool(res, 0, 1));
	buf_adds(&b, "}\n");
	req_reply_buf(r, 200, &b);
	buf_fini(&b);
}

/* The jobs, a line each, then a line about the step. */
static void on_exported(enum db_outcome o, const struct db_result *res,
			const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	bool more;

	/* Its form is the database's. */
	if (o != DB_OK && fault->err.code == ERR_BAD_REQUEST) {
		(void)err_set(&e, ERR_BAD_REQUEST,
			      "\"exported\" must be what the step before was "
			      "answered");
		req_reply_err(r, &e);
		return;
	}
	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	wake_events(r->srv);
	more = !db_is_null(res, 0, 1);
	if (more)
		buf_add(&b, db_text(res, 0, 1), db_len(res, 0, 1));
	add_deleted(&b, db_i64(res, 0, 0), more);
	if (more)
		buf_json_kv_str(&b, "exported", db_text(res, 0, 2));
	buf_adds(&b, "}\n");
	req_reply_bytes(r, 200, "application/x-ndjson", buf_str(&b), b.len);
	buf_fini(&b);
}

static void post_purge(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct wanted w = { 0 };
	struct err e = ERR_INIT;

	if (!view_body(r, wanted_fields,
		       sizeof(wanted_fields) / sizeof(wanted_fields[0]), &w,
		       &e) ||
	    !state_ok(w.state, &e) || !exported_ok(&w, &e)) {
		req_reply_err(r, &e);
		return;
	}
	db_p_i32(p, lanes_bucket(r->srv, BUCKET_POOL));
	view_p_who(p, r);
	db_p_i64(p, w.older_s);
	db_p_text(p, w.state);
	db_p_text(p, w.project);
	db_p_i32(p, PURGE_STEP);
	if (w.export)
		db_p_text(p, w.exported);
	db_run(r->srv->db, w.export ? "purge_export" : "purge_step", p,
	       w.export ? on_exported : on_purged, r);
}

const struct route routes_reports[] = {
	{ "GET", "/api/v1/summary", MAY_PEOPLE, NULL, get_summary },
	{ "GET", "/api/v1/top", MAY_PEOPLE, NULL, get_top },
	{ "GET", "/api/v1/events", MAY_PEOPLE, "after wait job kind page_size",
	  h_reports_events },
	{ "POST", "/api/v1/events", MAY_CHANGE, NULL, h_reports_note },
	{ "POST", "/api/v1/purge", MAY_CHANGE, NULL, post_purge },
	{ NULL, NULL, 0, NULL, NULL }
};
