/* From a document to the arrays of one statement, in steps. */
#include "server/workflow_make.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include "lib/clock.h"
#include "server/submit_read.h"

#define STEP_NODES 1000
#define STEP_JOBS 50
#define TURN_US 4000 /* then others have theirs */

static void run(struct workflow_make *m);

static struct req *req_of(const struct workflow_make *m)
{
	return m->submit.item.req;
}

static void refuse(struct workflow_make *m, const struct err *e)
{
	req_reply_err(req_of(m), e);
}

static void scratch_free(void *arg)
{
	arena_free(arg);
}

struct workflow_make *workflow_make_new(struct req *r)
{
	struct workflow_make *m = ARENA_NEW(r->arena, struct workflow_make);

	m->submit.item.req = r;
	m->submit.item.owner = r->who.owner_id;
	m->submit.item.bytes = r->body_len;
	m->submit.make = m;
	m->submit.ready = submit_put;
	m->scratch = arena_new();
	arena_defer(r->arena, scratch_free, m->scratch);
	r->data = m;
	return m;
}

/* Jobs */

static bool job_ok(const struct jobspec *j, const char *where, struct err *e)
{
	return j->replicas == 1 ||
	       err_set(e, ERR_BAD_REQUEST,
		       "%s: a job of a workflow cannot have \"replicas\": "
		       "write a \"matrix\"",
		       where);
}

static bool job_add(struct workflow_make *m, uint32_t node, struct err *e)
{
	struct json_object *o;
	struct buf text = BUF_INIT;
	struct jobspec j;
	const char *where;
	bool ok;

	arena_reset(m->scratch);
	where = arena_printf(m->scratch, "job \"%s\"",
			     m->made->nodes[node].name);
	ok = workflow_job(m->made, node, &text, e) &&
	     json_parse(m->scratch, buf_str(&text), text.len, &o, e) &&
	     jobspec_decode(m->scratch, o, where, &j, e) &&
	     job_ok(&j, where, e) &&
	     submit_add(req_of(m), &m->submit, &j, where, e);
	buf_fini(&text);
	return ok;
}

/* Also a workflow without jobs belongs to a project: the class of a job that
 * asks for nothing leads to it. */
static bool project_need(struct workflow_make *m, struct err *e)
{
	struct json_object *o;
	struct buf text = BUF_INIT;
	struct jobspec j;
	bool ok;

	buf_addc(&text, '{');
	buf_json_kv_str(&text, "shell", "true");
	buf_json_kv_str(&text, "project", m->made->project);
	buf_addc(&text, '}');
	ok = json_parse(m->scratch, buf_str(&text), text.len, &o, e) &&
	     jobspec_decode(m->scratch, o, "the workflow", &j, e) &&
	     submit_add(req_of(m), &m->submit, &j, "the workflow", e);
	buf_fini(&text);
	/* The need stays, the job goes. */
	m->submit.n = 0;
	m->submit.total = 0;
	return ok;
}

/* Steps */

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct workflow_make *m = arg;

	(void)fd;
	(void)what;
	if (req_of(m)->gone)
		req_reply_busy(req_of(m), "the peer went away");
	else
		run(m);
}

static void go_on_later(struct workflow_make *m)
{
	static const struct timeval now = { 0, 0 };

	event_base_once(req_of(m)->srv->base, -1, EV_TIMEOUT, on_turn, m, &now);
}

/* One step of what is next; *done when nothing is. */
static bool step(struct workflow_make *m, bool *expanded, bool *done,
		 struct err *e)
{
	uint32_t stop;

	*done = false;
	if (!*expanded)
		return workflow_step(m->made, STEP_NODES, expanded, e);
	stop = m->made->n_nodes - m->next < STEP_JOBS ? m->made->n_nodes
						      : m->next + STEP_JOBS;
	for (; m->next < stop; m->next++)
		if (!job_add(m, m->next, e))
			return false;
	*done = m->next == m->made->n_nodes;
	return !*done || m->submit.n > 0 || project_need(m, e);
}

static void run(struct workflow_make *m)
{
	int64_t until_us = clock_mono_us() + TURN_US;
	struct err e = ERR_INIT;
	bool done = false;

	while (!done && clock_mono_us() < until_us) {
		if (!step(m, &m->expanded, &done, &e)) {
			refuse(m, &e);
			return;
		}
	}
	if (done)
		submit_resolve(&m->submit);
	else
		go_on_later(m);
}

/* Datatypes */

static void on_datatypes(enum db_outcome o, const struct db_result *res,
			 const struct db_fault *fault, void *arg)
{
	struct workflow_make *m = arg;

	if (o != DB_OK) {
		db_reply_fault(req_of(m), o, fault);
		return;
	}
	for (size_t row = 0; row < db_rows(res); row++)
		workflow_datatype(m->made, db_text(res, row, 0),
				  db_text(res, row, 1));
	run(m);
}

static void ask_datatypes(struct workflow_make *m)
{
	struct arena *a = req_of(m)->arena;
	struct db_params *p = db_params_new(a);
	struct db_array *v = db_array_new(a, DB_TEXT);
	const char *const *names;
	size_t n;

	names = workflow_datatypes(m->made, &n);
	if (n == 0) {
		run(m);
		return;
	}
	for (size_t i = 0; i < n; i++)
		db_a_text(v, names[i], strlen(names[i]));
	db_p_array(p, v);
	db_run(req_of(m)->srv->db, "datatype_find", p, on_datatypes, m);
}

void workflow_make_run(struct workflow_make *m)
{
	struct arena *a = req_of(m)->arena;
	struct err e = ERR_INIT;

	if (!dag_read(a, m->text, m->len, "", m->flags, &m->doc, &e) ||
	    (m->shape != NULL && !m->shape(m, &e)) ||
	    !workflow_new(a, m->doc, &m->options, m->dag != NULL ? m->dag : "",
			  &m->made, &e)) {
		refuse(m, &e);
		return;
	}
	ask_datatypes(m);
}
