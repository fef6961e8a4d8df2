/* Workflows as people read them: lists, one, its jobs, its graph. */
#include "server/h_workflows.h"

#include <string.h>
#include "lib/clock.h"
#include "lib/log.h"
#include "server/h_jobs.h"
#include "server/park.h"
#include "server/route.h"
#include "server/server.h"
#include "server/view.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* References */

struct ref {
	void (*then)(struct req *r, int64_t number);
	void *data; /* the handler's, kept meanwhile */
};

static char *wanted(struct req *r)
{
	return arena_printf(r->arena, "workflow %s", r->var[0]);
}

static void on_ref(enum db_outcome o, const struct db_result *res,
		   const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct ref *ref = r->data;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	if (db_rows(res) == 0) {
		view_reply_missing(r, wanted(r));
		return;
	}
	r->data = ref->data;
	ref->then(r, db_i64(res, 0, 0));
}

void h_workflows_ref(struct req *r, void (*then)(struct req *r, int64_t number))
{
	struct ref *ref = ARENA_NEW(r->arena, struct ref);
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	const char *uuid;
	int64_t number;

	if (!refs_one("workflow", r->var[0], &number, &uuid, &e)) {
		req_reply_err(r, &e);
		return;
	}
	if (uuid == NULL) {
		then(r, number);
		return;
	}
	ref->then = then;
	ref->data = r->data;
	r->data = ref;
	view_p_who(p, r);
	db_p_i64(p, number);
	db_p_text(p, uuid);
	db_run(r->srv->db, "workflow_header", p, on_ref, r);
}

/* GET /api/v1/workflows */

static bool state_ok(struct req *r, struct err *e)
{
	static const char *const states[] = { "held", "running", "finished",
					      "failed", "cancelled" };
	const char *s = req_query(r, "state");

	while (s != NULL) {
		size_t len = strcspn(s, ","), i = 0;

		while (i < N(states) && (strlen(states[i]) != len ||
					 memcmp(states[i], s, len) != 0))
			i++;
		if (i == N(states))
			return err_set(e, ERR_BAD_REQUEST,
				       "\"%.*s\" is no state of a workflow: "
				       "write held, running, finished, failed, "
				       "cancelled or some of them with commas "
				       "between",
				       (int)(len < 50 ? len : 50), s);
		s = s[len] == ',' ? s + len + 1 : NULL;
	}
	return true;
}

/* The time that since_s or created_after tells; NULL: any. */
static bool made_after(struct req *r, const char **out, struct err *e)
{
	struct buf *b = ARENA_NEW(r->arena, struct buf);
	int64_t since_s;

	*out = req_query(r, "created_after");
	if (!req_query_i64(r, "since_s", 0, VIEW_SINCE_MAX_S, -1, &since_s, e))
		return false;
	if (since_s < 0)
		return true;
	if (*out != NULL)
		return err_set(e, ERR_BAD_REQUEST,
			       "the query has both since_s and created_after: "
			       "one will do");
	buf_init_in(b, r->arena);
	clock_format_utc(b, clock_wall_ms() - since_s * 1000);
	*out = buf_str(b);
	return true;
}

static void get_workflows(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	const char *after;
	int64_t below;
	int32_t page;

	if (!view_page(r, &page, &e) || !view_below(r, &below, &e) ||
	    !made_after(r, &after, &e) || !state_ok(r, &e)) {
		req_reply_err(r, &e);
		return;
	}
	view_p_who(p, r);
	view_p_below(p, below);
	db_p_i32(p, page);
	db_p_text(p, req_query(r, "state"));
	db_p_text(p, req_query(r, "name"));
	db_p_text(p, req_query(r, "dag"));
	db_p_text(p, req_query(r, "owner"));
	db_p_text(p, req_query(r, "project"));
	db_p_text(p, after);
	db_p_text(p, req_query(r, "created_before"));
	db_p_text(p, view_between(r));
	db_run(r->srv->db, "workflow_list", p, view_on_list, r);
}

/* GET /api/v1/workflows/{ref} */

struct show {
	int64_t number;
	int64_t deadline_ms; /* 0: answer at once */
	int64_t seen_ended;  /* -1: only the end is waited for */
	struct park_wait *watch;
};

static void show_ask(struct req *r);

static void show_again(struct req *r, bool over)
{
	struct show *s = r->data;

	if (over)
		s->deadline_ms = 0;
	show_ask(r);
}

/* Whether there is something new to tell: read from the view itself, which is
 * small. */
static bool is_news(struct req *r, const struct show *s,
		    const struct db_result *res)
{
	struct json_object *view;
	const char *state;
	struct err e;

	if (s->deadline_ms == 0)
		return true;
	if (!json_parse(r->arena, db_text(res, 0, 0), db_len(res, 0, 0), &view,
			&e))
		BUG("a workflow's view: %s", e.text);
	state = json_get_str(view, "state");
	if (strcmp(state, "held") != 0 && strcmp(state, "running") != 0)
		return true;
	return s->seen_ended >= 0 &&
	       json_get_int(view, "ended") != s->seen_ended;
}

static void on_show(enum db_outcome o, const struct db_result *res,
		    const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct show *s = r->data;

	if (o != DB_OK)
		db_reply_fault(r, o, fault);
	else if (db_rows(res) == 0)
		view_reply_missing(r, wanted(r));
	else if (is_news(r, s, res))
		view_reply_text(r, res, 0);
	else
		park_wait(s->watch, s->deadline_ms, show_again);
}

static void show_ask(struct req *r)
{
	struct show *s = r->data;
	struct db_params *p = db_params_new(r->arena);

	view_p_who(p, r);
	db_p_i64(p, s->number);
	db_run(r->srv->db, "workflow_show", p, on_show, r);
}

static void show(struct req *r, int64_t number)
{
	struct show *s = r->data;

	s->number = number;
	if (s->deadline_ms > 0)
		s->watch = park_watch(r, PARK_WORKFLOW, number, number);
	show_ask(r);
}

static void get_workflow(struct req *r)
{
	struct show *s = ARENA_NEW(r->arena, struct show);
	struct err e = ERR_INIT;

	if (!view_deadline(r, &s->deadline_ms, &e) ||
	    !req_query_i64(r, "seen_ended", 0, INT64_MAX, -1, &s->seen_ended,
			   &e)) {
		req_reply_err(r, &e);
		return;
	}
	r->data = s;
	h_workflows_ref(r, show);
}

/* GET /api/v1/workflows/{ref}/jobs and /graph: the workflow's own existence
 * is asked for with them. */

struct page {
	int64_t after;
	int32_t size;
	const char *states; /* between commas; NULL: any */
};

static void on_jobs(enum db_outcome o, const struct db_result *res,
		    const struct db_fault *fault, void *arg)
{
	struct req *r = arg;

	if (o == DB_OK && db_rows(res) == 0)
		view_reply_missing(r, wanted(r));
	else
		view_on_list(o, res, fault, r);
}

static void jobs(struct req *r, int64_t number)
{
	const struct page *page = r->data;
	struct db_params *p = db_params_new(r->arena);

	view_p_who(p, r);
	db_p_i64(p, number);
	db_p_i64(p, page->after);
	db_p_i32(p, page->size);
	db_p_text(p, page->states);
	db_p_text(p, view_between(r));
	db_run(r->srv->db, "workflow_jobs", p, on_jobs, r);
}

static void get_jobs(struct req *r)
{
	struct page *page = ARENA_NEW(r->arena, struct page);
	const char *state = req_query(r, "state");
	const char *unknown = NULL;
	struct err e = ERR_INIT;

	if (!view_page(r, &page->size, &e) ||
	    !view_below(r, &page->after, &e)) {
		req_reply_err(r, &e);
		return;
	}
	if (state != NULL)
		unknown = h_jobs_states(r, state, &page->states);
	if (unknown != NULL) {
		err_set(&e, ERR_BAD_REQUEST, "\"%.50s\" is no state of a job",
			unknown);
		req_reply_err(r, &e);
		return;
	}
	r->data = page;
	h_workflows_ref(r, jobs);
}

static void graph(struct req *r, int64_t number)
{
	struct db_params *p = db_params_new(r->arena);

	r->data = wanted(r);
	view_p_who(p, r);
	db_p_i64(p, number);
	db_run(r->srv->db, "workflow_graph", p, view_on_one, r);
}

static void get_graph(struct req *r)
{
	h_workflows_ref(r, graph);
}

#define LIST_QUERY                                            \
	"state name dag owner project since_s created_after " \
	"created_before page_size cursor"
#define ONE "/api/v1/workflows/{ref}"

const struct route routes_workflows[] = {
	{ "GET", "/api/v1/workflows", MAY_PEOPLE, LIST_QUERY, get_workflows },
	{ "POST", "/api/v1/workflows", MAY_CHANGE | LARGE_BODY, NULL,
	  h_workflows_create },
	{ "GET", ONE, MAY_PEOPLE, "wait seen_ended", get_workflow },
	{ "PATCH", ONE, MAY_CHANGE, NULL, h_workflows_adjust },
	{ "DELETE", ONE, MAY_CHANGE, "cancel", h_workflows_delete },
	{ "GET", ONE "/jobs", MAY_PEOPLE, "state page_size cursor", get_jobs },
	{ "POST", ONE "/jobs", MAY_CHANGE | LARGE_BODY, NULL, h_workflows_add },
	{ "GET", ONE "/graph", MAY_PEOPLE, NULL, get_graph },
	{ "POST", ONE "/start", MAY_CHANGE, NULL, h_workflows_start },
	{ "POST", ONE "/cancel", MAY_CHANGE, NULL, h_workflows_cancel },
	{ "POST", ONE "/retry", MAY_CHANGE, NULL, h_workflows_retry },
	{ "POST", ONE "/close", MAY_CHANGE, NULL, h_workflows_close },
	{ NULL, NULL, 0, NULL, NULL }
};
