/*
 * What people do to workflows.  The rules are the SQL functions'; what takes
 * long (cancelling, deleting) is begun here and done by duties.
 */
#include "server/h_workflows.h"

#include <stddef.h>
#include <string.h>
#include "lib/jobspec.h"
#include "server/callback.h"
#include "server/db.h"
#include "server/duty.h"
#include "server/lanes.h"
#include "server/server.h"
#include "server/view.h"
#include "server/wake.h"

#define TRIES 5 /* of a statement that met a deadlock */
#define NAME_MAX_LEN 1024
#define TEXT_MAX_LEN 65536

#define N(table) (sizeof(table) / sizeof((table)[0]))

struct act {
	const char *stmt;
	int64_t number;
	const char *set; /* JSON, of adjust */
	bool flag, has_flag;
	bool deletes;
	int tries;
	int64_t changed;
};

enum { COL_CODE, COL_MESSAGE, COL_CLASSES, COL_PILOTS, COL_MORE, COL_CHANGED };

static void act(struct req *r, int64_t number);

static void on_shown(enum db_outcome o, const struct db_result *res,
		     const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	const struct act *a = r->data;
	struct buf b = BUF_INIT;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	if (db_rows(res) == 0) {
		view_reply_missing(
			r, arena_printf(r->arena, "workflow %s", r->var[0]));
		return;
	}
	/* The view is an object: all of it but its end. */
	buf_add(&b, db_text(res, 0, 0), db_len(res, 0, 0) - 1);
	buf_json_kv_i64(&b, "changed", a->changed);
	buf_adds(&b, "}\n");
	req_reply_buf(r, 200, &b);
	buf_fini(&b);
}

/* The reply to a change: the workflow as it is now. */
static void show(struct req *r)
{
	const struct act *a = r->data;
	struct db_params *p = db_params_new(r->arena);

	view_p_who(p, r);
	db_p_i64(p, a->number);
	db_run(r->srv->db, "workflow_show", p, on_shown, r);
}

static void reply_refused(struct req *r, const struct db_result *res)
{
	struct err e = ERR_INIT;

	err_set(&e, err_from_name(db_text(res, 0, COL_CODE)), "%s",
		db_text(res, 0, COL_MESSAGE));
	req_reply_err(r, &e);
}

static void on_done(enum db_outcome o, const struct db_result *res,
		    const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct act *a = r->data;

	if (o == DB_RETRY && ++a->tries < TRIES) {
		act(r, a->number);
		return;
	}
	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	if (!db_is_null(res, 0, COL_CODE)) {
		reply_refused(r, res);
		return;
	}
	a->changed = db_i64(res, 0, COL_CHANGED);
	wake_listed(r->srv, res, 0, COL_CLASSES, COL_PILOTS);
	wake_workflow(r->srv, a->number);
	wake_events(r->srv);
	if (db_bool(res, 0, COL_MORE)) {
		duty_poke(r->srv->duties, DUTY_FIRING);
		duty_poke(r->srv->duties, DUTY_WORKFLOW_CANCEL);
		duty_poke(r->srv->duties, DUTY_WORKFLOW_RETRY);
		duty_poke(r->srv->duties, DUTY_WORKFLOW_LOOK);
		duty_poke(r->srv->duties, DUTY_WORKFLOW_PRIORITY);
		duty_poke(r->srv->duties, DUTY_WORKFLOW_FORGET);
	}
	callbacks_poke(r->srv->callbacks);
	if (a->deletes)
		req_reply_empty(r, 204);
	else
		show(r);
}

static void act(struct req *r, int64_t number)
{
	struct act *a = r->data;
	struct db_params *p = db_params_new(r->arena);

	a->number = number;
	db_p_i32(p, lanes_bucket(r->srv, BUCKET_POOL));
	view_p_who(p, r);
	db_p_i64(p, number);
	if (a->set != NULL)
		db_p_text(p, a->set);
	if (a->has_flag)
		db_p_bool(p, a->flag);
	db_run(r->srv->db, a->stmt, p, on_done, r);
}

static struct act *act_new(struct req *r, const char *stmt)
{
	struct act *a = ARENA_NEW(r->arena, struct act);

	a->stmt = stmt;
	r->data = a;
	return a;
}

/* These take no body; an empty object does no harm. */
static void simple(struct req *r, const char *stmt)
{
	struct err e = ERR_INIT;

	if (r->body_len > 0 && !view_body(r, NULL, 0, NULL, &e)) {
		req_reply_err(r, &e);
		return;
	}
	(void)act_new(r, stmt);
	h_workflows_ref(r, act);
}

void h_workflows_start(struct req *r)
{
	simple(r, "workflow_start");
}

void h_workflows_cancel(struct req *r)
{
	simple(r, "workflow_cancel");
}

void h_workflows_retry(struct req *r)
{
	simple(r, "workflow_retry");
}

void h_workflows_close(struct req *r)
{
	simple(r, "workflow_close");
}

void h_workflows_delete(struct req *r)
{
	struct act *a = act_new(r, "workflow_delete");
	struct err e = ERR_INIT;
	int64_t cancel;

	if (!req_query_i64(r, "cancel", 0, 1, 0, &cancel, &e)) {
		req_reply_err(r, &e);
		return;
	}
	a->has_flag = a->deletes = true;
	a->flag = cancel == 1;
	h_workflows_ref(r, act);
}

/* PATCH */

struct change {
	int32_t priority, max_running;
	bool has_priority, has_max_running;
	const char *on_failure, *name, *description;
};

#define AT(field) offsetof(struct change, field)

static const struct json_field change_fields[] = {
	{ "priority", JK_I32, AT(priority), JF_LOOSE, INT32_MIN, INT32_MAX,
	  AT(has_priority) },
	{ "max_running", JK_I32, AT(max_running), JF_LOOSE, 0, INT32_MAX,
	  AT(has_max_running) },
	{ "on_failure", JK_STR, AT(on_failure), 0, 0, 0, 0 },
	{ "name", JK_STR, AT(name), 0, 0, NAME_MAX_LEN, 0 },
	{ "description", JK_STR, AT(description), 0, 0, TEXT_MAX_LEN, 0 },
};

#undef AT

static bool on_failure_ok(const char *s, struct err *e)
{
	return s == NULL || strcmp(s, "cancel") == 0 ||
	       strcmp(s, "continue") == 0 ||
	       err_set(e, ERR_BAD_REQUEST,
		       "\"on_failure\" must be continue or cancel, not "
		       "\"%.50s\"",
		       s);
}

static void kv_given(struct buf *b, const char *key, const char *s)
{
	if (s != NULL)
		buf_json_kv_str(b, key, s);
}

/* A maximum of 0, or null, is none. */
static const char *change_json(struct req *r, const struct change *c,
			       bool no_max)
{
	const char *text;
	struct buf b = BUF_INIT;

	buf_addc(&b, '{');
	if (c->has_priority)
		buf_json_kv_i64(&b, "priority", c->priority);
	if (no_max || (c->has_max_running && c->max_running == 0))
		buf_json_kv_raw(&b, "max_running", "null");
	else if (c->has_max_running)
		buf_json_kv_i64(&b, "max_running", c->max_running);
	kv_given(&b, "on_failure", c->on_failure);
	kv_given(&b, "name", c->name);
	kv_given(&b, "description", c->description);
	buf_addc(&b, '}');
	text = arena_strdup(r->arena, buf_str(&b));
	buf_fini(&b);
	return text;
}

static bool change_read(struct req *r, const char **set, struct err *e)
{
	struct change c = { 0 };
	struct json_object *doc, *max;

	if (!view_body(r, change_fields, N(change_fields), &c, e) ||
	    !req_json(r, &doc, e) || !on_failure_ok(c.on_failure, e))
		return false;
	max = json_get(doc, "max_running");
	*set = change_json(r, &c, max != NULL && json_type(max) == JSON_NULL);
	return strcmp(*set, "{}") != 0 ||
	       err_set(e, ERR_BAD_REQUEST,
		       "the body says nothing that could change");
}

void h_workflows_adjust(struct req *r)
{
	struct act *a = act_new(r, "workflow_adjust");
	struct err e = ERR_INIT;

	if (!change_read(r, &a->set, &e)) {
		req_reply_err(r, &e);
		return;
	}
	h_workflows_ref(r, act);
}
