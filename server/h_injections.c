/* Files that injectors found: one workflow or job of each, and the record. */
#include "lib/log.h"
#include "server/h_jobs.h"
#include "server/h_workflows.h"
#include "server/injection.h"
#include "server/route.h"
#include "server/server.h"
#include "server/submit_read.h"
#include "server/view.h"
#include "server/wake.h"
#include "server/workflow_make.h"

static void reply(struct req *r, struct json_object *answer)
{
	static const char *const members[] = { "created", "version",
					       "size",    "modified_at",
					       "dataset", "workflow",
					       "job" };
	bool created = json_get_bool(answer, "created");
	int64_t workflow = json_get_int(answer, "workflow");
	struct buf b = BUF_INIT;

	buf_addc(&b, '{');
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		buf_json_key(&b, members[i]);
		json_write(&b, json_get(answer, members[i]));
	}
	buf_adds(&b, "}\n");
	if (created && workflow > 0)
		wake_workflow(r->srv, workflow);
	req_reply_buf(r, created ? 201 : 200, &b);
	buf_fini(&b);
}

/* A workflow */

static bool shape(struct workflow_make *m, struct err *e)
{
	const struct injection *in = m->arg;
	struct arena *a = m->submit.item.req->arena;
	struct json_object *env = NULL;
	struct buf b = BUF_INIT;

	if (!h_workflows_shape(m, e) ||
	    (m->options.env.p != NULL &&
	     !json_span_parse(a, m->options.env, &env, e)))
		return false;
	injection_env(in, env, &b);
	m->options.env = json_span_of(arena_strndup(a, b.data, b.len), b.len);
	buf_fini(&b);
	return injection_into_dag(in, m->doc, a, e);
}

static void workflow_tail(const struct workflow_make *m, struct arena *a,
			  struct db_params *p)
{
	(void)a;
	injection_params(m->arg, p);
}

static void workflow_done(struct workflow_make *m, struct json_object *answer)
{
	reply(m->submit.item.req, answer);
}

static void make_workflow(struct req *r, struct injection *in)
{
	struct workflow_make *m = workflow_make_new(r);
	struct buf b = BUF_INIT;
	const char *text;
	struct err e = ERR_INIT;
	size_t len;

	json_write(&b, in->workflow);
	len = b.len;
	text = arena_strndup(r->arena, b.data, len);
	buf_fini(&b);
	m->arg = in;
	m->stmt = "injection_workflow";
	m->head = h_workflows_head;
	m->tail = workflow_tail;
	m->shape = shape;
	m->done = workflow_done;
	if (!h_workflows_source(m, text, len, &e)) {
		req_reply_err(r, &e);
		return;
	}
	h_workflows_make(m);
}

/* A job */

static void job_tail(const struct submit *s, struct db_params *p)
{
	injection_params(s->special_arg, p);
}

static void job_done(struct submit *s, const char *text, size_t len)
{
	struct json_object *answer;
	struct err e;

	if (!json_parse(s->item.req->arena, text, len, &answer, &e))
		BUG("injection_job_1 answered %s", e.text);
	reply(s->item.req, answer);
}

static const struct submit_special injection_job = {
	.stmt = "injection_job",
	.tail = job_tail,
	.done = job_done,
};

static bool one_job(const struct jobspec *j, struct err *e)
{
	if (j->replicas != 1)
		return err_set(e, ERR_BAD_REQUEST,
			       "the job: of a file one job is made: "
			       "\"replicas\" must be 1");
	return j->key == NULL ||
	       err_set(e, ERR_BAD_REQUEST,
		       "the job: a \"key\" would be the same for each file");
}

static bool job_read(struct req *r, struct submit *s,
		     const struct injection *in, struct err *e)
{
	struct buf b = BUF_INIT;
	struct json_object *o;
	struct jobspec j;
	bool ok;

	injection_into_job(in, &b);
	ok = json_parse(r->arena, b.data, b.len, &o, e) &&
	     jobspec_decode(r->arena, o, "the job", &j, e) && one_job(&j, e) &&
	     submit_add(r, s, &j, "the job", e);
	buf_fini(&b);
	return ok;
}

static void make_job(struct req *r, struct injection *in)
{
	struct submit *s = ARENA_NEW(r->arena, struct submit);
	struct err e = ERR_INIT;

	s->item.req = r;
	s->item.owner = r->who.owner_id;
	s->item.bytes = r->body_len;
	s->keyed = true;
	s->special = &injection_job;
	s->special_arg = in;
	s->ready = submit_put;
	if (!job_read(r, s, in, &e)) {
		req_reply_err(r, &e);
		return;
	}
	submit_resolve(s);
}

static void post_injection(struct req *r)
{
	struct injection *in = ARENA_NEW(r->arena, struct injection);
	struct json_object *doc;
	struct err e = ERR_INIT;

	if (!req_json(r, &doc, &e) || !injection_read(doc, in, &e)) {
		req_reply_err(r, &e);
		return;
	}
	in->path = workflow_path(r->arena, in->path);
	if (in->workflow != NULL)
		make_workflow(r, in);
	else
		make_job(r, in);
}

static void get_injections(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	const char *state = req_query(r, "state");
	const char *states = NULL, *unknown = NULL;
	struct err e = ERR_INIT;
	int64_t below;
	int32_t page;

	if (state != NULL)
		unknown = h_jobs_states(r, state, &states);
	if (unknown != NULL)
		(void)err_set(&e, ERR_BAD_REQUEST,
			      "\"%.50s\" is no state of a job or workflow",
			      unknown);
	if (unknown != NULL || !view_page(r, &page, &e) ||
	    !view_below(r, &below, &e)) {
		req_reply_err(r, &e);
		return;
	}
	view_p_who(p, r);
	view_p_below(p, below);
	db_p_i32(p, page);
	db_p_text(p, req_query(r, "stream"));
	db_p_text(p, req_query(r, "path"));
	view_p_words(p, r, states);
	db_p_text(p, view_between(r));
	db_run(r->srv->db, "injection_list", p, view_on_list, r);
}

const struct route routes_injections[] = {
	{ "GET", "/api/v1/injections", MAY_PEOPLE,
	  "stream path state page_size cursor", get_injections },
	{ "POST", "/api/v1/injections", MAY_CHANGE, "", post_injection },
	{ NULL, NULL, 0, NULL, NULL }
};
