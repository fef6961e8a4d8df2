/* Making a workflow of a document or a stored dag, and adding to one that is
 * open. */
#include "server/h_workflows.h"

#include <inttypes.h>
#include <string.h>
#include "lib/json_cursor.h"
#include "lib/log.h"
#include "server/callback.h"
#include "server/db.h"
#include "server/idempotency.h"
#include "server/server.h"
#include "server/view.h"
#include "server/wake.h"
#include "server/workflow_make.h"

static struct req *req_of(const struct workflow_make *m)
{
	return m->submit.item.req;
}

static bool body_ok(struct req *r, struct err *e)
{
	if (!req_media_ok(r, e))
		return false;
	if (r->body_len == 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "the body is empty: it must be JSON");
	if (!json_check_deep(r->body, r->body_len, DAG_DEPTH_MAX, e))
		return false;
	return json_span_type(json_span_of(r->body, r->body_len)) ==
		       JSON_OBJECT ||
	       err_set(e, ERR_BAD_REQUEST, "the body must be a JSON object");
}

/* The header Idempotency-Key, or the body's own key. */
static bool key_read(struct workflow_make *m, struct err *e)
{
	struct req *r = req_of(m);
	struct submit *s = &m->submit;

	if (!idempotency_key(r, &s->idempotency_key, e))
		return false;
	if (s->idempotency_key == NULL && m->options.key != NULL)
		s->idempotency_key =
			arena_printf(r->arena, "workflow:%s", m->options.key);
	if (s->idempotency_key != NULL)
		idempotency_hash(r, s->body_hash);
	return true;
}

/* POST /api/v1/workflows */

static void kv_text(struct buf *b, const char *key, const char *s)
{
	if (s != NULL && *s != '\0')
		buf_json_kv_str(b, key, s);
}

struct merge {
	struct buf *b;
	struct json_object *over;
};

static bool merge_one(const char *key, struct json_object *v, void *arg)
{
	struct merge *g = arg;

	if (g->over == NULL || json_get(g->over, key) == NULL) {
		buf_json_key(g->b, key);
		json_write(g->b, v);
	}
	return true;
}

/* The document's environment with the request's over it, for jobs that are
 * added later. Both have been checked. */
static void env_write(const struct workflow_make *m, struct buf *b)
{
	struct arena *a = req_of(m)->arena;
	struct json_object *doc = NULL;
	struct merge g = { .b = b };
	struct err e = ERR_INIT;

	if ((m->options.env.p != NULL &&
	     !json_span_parse(a, m->options.env, &g.over, &e)) ||
	    (m->doc->env.p != NULL &&
	     !json_span_parse(a, m->doc->env, &doc, &e)))
		BUG("an environment that was read: %s", e.text);
	buf_addc(b, '{');
	if (doc != NULL)
		(void)json_each(doc, merge_one, &g);
	doc = g.over;
	g.over = NULL;
	if (doc != NULL)
		(void)json_each(doc, merge_one, &g);
	buf_addc(b, '}');
}

/* What workflow_create takes as the header. */
static void header_write(const struct workflow_make *m, struct buf *b)
{
	const struct workflow *w = m->made;

	buf_addc(b, '{');
	buf_json_kv_str(b, "name", w->name);
	buf_json_kv_str(b, "description", w->description);
	kv_text(b, "dag", m->dag);
	if (m->dag != NULL)
		buf_json_kv_i64(b, "dag_version", m->dag_version);
	buf_json_kv_str(b, "state", w->held ? "held" : "running");
	buf_json_kv_bool(b, "open", w->open);
	buf_json_kv_bool(b, "close_auto", w->close_auto);
	buf_json_kv_str(b, "on_failure",
			w->cancel_on_failure ? "cancel" : "continue");
	if (w->max_running > 0)
		buf_json_kv_i64(b, "max_running", w->max_running);
	if (w->callback != NULL)
		buf_json_kv_raw(b, "callback", w->callback);
	buf_json_key(b, "header");
	buf_addc(b, '{');
	buf_json_key(b, "env");
	env_write(m, b);
	kv_text(b, "names", w->names);
	buf_adds(b, "}}");
}

void h_workflows_head(const struct workflow_make *m, struct arena *a,
		      struct db_params *p)
{
	struct buf b = BUF_INIT;

	header_write(m, &b);
	db_p_i32(p, req_of(m)->who.owner_id);
	db_p_i32(p, m->submit.need[0].ids.project_id);
	db_p_text(p, arena_strdup(a, buf_str(&b)));
	buf_fini(&b);
}

static void reply_made(struct workflow_make *m, struct json_object *answer)
{
	struct req *r = req_of(m);
	struct buf b = BUF_INIT;

	buf_addc(&b, '{');
	buf_json_kv_i64(&b, "number", json_get_int(answer, "number"));
	buf_json_kv_str(&b, "id", json_get_str(answer, "id"));
	buf_json_kv_str(&b, "name", json_get_str(answer, "name"));
	buf_json_kv_str(&b, "state", json_get_str(answer, "state"));
	buf_json_kv_i64(&b, "jobs", json_get_int(answer, "jobs"));
	buf_json_kv_i64(&b, "first", json_get_int(answer, "first"));
	buf_json_kv_bool(&b, "created", json_get_bool(answer, "created"));
	buf_adds(&b, "}\n");
	wake_workflow(r->srv, json_get_int(answer, "number"));
	req_reply_buf(r, json_get_bool(answer, "created") ? 201 : 200, &b);
	buf_fini(&b);
}

bool h_workflows_shape(struct workflow_make *m, struct err *e)
{
	struct json_span text = m->options.callback.p != NULL
					? m->options.callback
					: m->doc->callback;
	struct json_object *v;

	return text.p == NULL ||
	       (json_span_parse(req_of(m)->arena, text, &v, e) &&
		callback_ok(v, e));
}

static void on_dag(enum db_outcome o, const struct db_result *res,
		   const struct db_fault *fault, void *arg)
{
	struct workflow_make *m = arg;
	struct req *r = req_of(m);

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	if (db_rows(res) == 0) {
		view_reply_missing(
			r, m->options.version == 0
				   ? arena_printf(r->arena, "dag \"%s\"",
						  m->options.dag)
				   : arena_printf(r->arena,
						  "version %" PRId32
						  " of the dag \"%s\"",
						  m->options.version,
						  m->options.dag));
		return;
	}
	m->len = db_len(res, 0, 0);
	m->text = arena_strndup(r->arena, db_text(res, 0, 0), m->len);
	m->dag = m->options.dag;
	m->dag_version = (int32_t)db_i64(res, 0, 1);
	workflow_make_run(m);
}

static void ask_dag(struct workflow_make *m)
{
	struct req *r = req_of(m);
	struct db_params *p = db_params_new(r->arena);

	db_p_text(p, m->options.dag);
	if (m->options.version == 0)
		db_p_null(p);
	else
		db_p_i32(p, m->options.version);
	db_run(r->srv->db, "dag_get", p, on_dag, m);
}

static bool source_ok(const struct workflow_options *o, struct err *e)
{
	return (o->dag != NULL) != o->has_jobs ||
	       err_set(e, ERR_BAD_REQUEST,
		       "say what to make the workflow of: \"dag\", or "
		       "\"jobs\", or a \"document\"");
}

/* A document stands under its own key, or is the text with the options among
 * its keys. */
static void find_document(struct workflow_make *m, const char *text, size_t len)
{
	struct json_span all = json_span_of(text, len);
	struct json_span document = json_span_get(all, "document");

	m->text = document.p != NULL ? document.p : text;
	m->len = document.p != NULL ? document.len : len;
	m->flags = document.p != NULL ? 0 : DAG_REQUEST;
}

bool h_workflows_source(struct workflow_make *m, const char *text, size_t len,
			struct err *e)
{
	if (!workflow_options_read(req_of(m)->arena, text, len, &m->options,
				   e) ||
	    !source_ok(&m->options, e))
		return false;
	if (m->options.dag == NULL)
		find_document(m, text, len);
	return true;
}

void h_workflows_make(struct workflow_make *m)
{
	if (m->options.dag != NULL)
		ask_dag(m);
	else
		workflow_make_run(m);
}

void h_workflows_create(struct req *r)
{
	struct workflow_make *m = workflow_make_new(r);
	struct err e = ERR_INIT;

	m->stmt = "workflow_create";
	m->head = h_workflows_head;
	m->shape = h_workflows_shape;
	m->done = reply_made;
	if (!body_ok(r, &e) ||
	    !h_workflows_source(m, r->body, r->body_len, &e) ||
	    !key_read(m, &e)) {
		req_reply_err(r, &e);
		return;
	}
	h_workflows_make(m);
}

/* POST /api/v1/workflows/{ref}/jobs */

static void add_head(const struct workflow_make *m, struct arena *a,
		     struct db_params *p)
{
	(void)a;
	view_p_who(p, req_of(m));
	db_p_i64(p, m->workflow);
}

enum { HEADER_NUMBER, HEADER_NAME, HEADER_PROJECT, HEADER_ENV, HEADER_NAMES };

static void take_header(struct workflow_make *m, const struct db_result *res)
{
	struct arena *a = req_of(m)->arena;
	struct workflow_options *o = &m->options;
	const char *env = arena_strdup(a, db_text(res, 0, HEADER_ENV));

	m->workflow = db_i64(res, 0, HEADER_NUMBER);
	o->name = arena_strdup(a, db_text(res, 0, HEADER_NAME));
	o->project = arena_strdup(a, db_text(res, 0, HEADER_PROJECT));
	if (!db_is_null(res, 0, HEADER_NAMES))
		o->names = arena_strdup(a, db_text(res, 0, HEADER_NAMES));
	if (!db_is_null(res, 0, HEADER_ENV))
		o->env = json_span_of(env, strlen(env));
}

static void on_header(enum db_outcome o, const struct db_result *res,
		      const struct db_fault *fault, void *arg)
{
	struct workflow_make *m = arg;
	struct req *r = req_of(m);

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	if (db_rows(res) == 0) {
		view_reply_missing(
			r, arena_printf(r->arena, "workflow %s", r->var[0]));
		return;
	}
	take_header(m, res);
	workflow_make_run(m);
}

void h_workflows_add(struct req *r)
{
	struct workflow_make *m = workflow_make_new(r);
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	const char *uuid;
	int64_t number;

	m->stmt = "workflow_add";
	m->head = add_head;
	m->done = reply_made;
	m->text = r->body;
	m->len = r->body_len;
	m->flags = DAG_ADDITION;
	if (!refs_one("workflow", r->var[0], &number, &uuid, &e) ||
	    !body_ok(r, &e) || !key_read(m, &e)) {
		req_reply_err(r, &e);
		return;
	}
	view_p_who(p, r);
	db_p_i64(p, number);
	db_p_text(p, uuid);
	db_run(r->srv->db, "workflow_header", p, on_header, m);
}
