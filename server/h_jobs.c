/* Jobs as people read them: lists, one job, why it waits. */
#include "server/h_jobs.h"

#include <string.h>
#include "lib/jobspec.h"
#include "server/park.h"
#include "server/route.h"
#include "server/server.h"
#include "server/view.h"

#define LIVE "held,waiting,defined,dispatched,running"
#define ENDED "finished,failed,timelimit,cancelled,lost,skipped"

static const struct {
	const char *word, *states;
} state_words[] = {
	{ "live", LIVE },
	{ "ended", ENDED },
	{ "held", "held" },
	{ "waiting", "waiting" },
	{ "defined", "defined" },
	{ "dispatched", "dispatched" },
	{ "running", "running" },
	{ "finished", "finished" },
	{ "failed", "failed" },
	{ "timelimit", "timelimit" },
	{ "cancelled", "cancelled" },
	{ "lost", "lost" },
	{ "skipped", "skipped" },
};

static const char *states_of(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(state_words) / sizeof(*state_words);
	     i++) {
		if (strlen(state_words[i].word) == len &&
		    memcmp(state_words[i].word, word, len) == 0)
			return state_words[i].states;
	}
	return NULL;
}

const char *h_jobs_states(struct req *r, const char *words, const char **out)
{
	struct buf b = BUF_INIT;
	const char *p = words;
	const char *unknown = NULL;

	do {
		size_t len = strcspn(p, ",");
		const char *states = states_of(p, len);

		if (states == NULL) {
			unknown = arena_strndup(r->arena, p, len);
			break;
		}
		if (b.len > 0)
			buf_addc(&b, ',');
		buf_adds(&b, states);
		p += len;
	} while (*p++ == ',');
	*out = arena_strdup(r->arena, buf_str(&b));
	buf_fini(&b);
	return unknown;
}

/* GET /api/v1/jobs */

struct list {
	int32_t page;
	int64_t below, pilot, workflow, since_s;
	const char *states;
	struct refs jobs;
	bool by_jobs;
	const char *tag, *tag_value;
};

static bool list_tag(struct req *r, struct list *l, struct err *e)
{
	const char *s = req_query(r, "tag");
	const char *colon;

	if (s == NULL)
		return true;
	colon = strchr(s, ':');
	if (colon == NULL || colon == s)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"tag\" in the query must "
			       "be NAME:VALUE");
	l->tag = arena_strndup(r->arena, s, (size_t)(colon - s));
	l->tag_value = colon + 1;
	return true;
}

static bool list_decode(struct req *r, struct list *l, struct err *e)
{
	const char *state = req_query(r, "state");
	const char *jobs = req_query(r, "jobs");
	const char *pilot = req_query(r, "pilot");
	const char *workflow = req_query(r, "workflow");
	const char *unknown, *uuid;

	if (!view_page(r, &l->page, e) || !view_below(r, &l->below, e) ||
	    !req_query_i64(r, "since_s", 0, VIEW_SINCE_MAX_S, -1, &l->since_s,
			   e) ||
	    !list_tag(r, l, e))
		return false;
	if (state != NULL) {
		unknown = h_jobs_states(r, state, &l->states);
		if (unknown != NULL)
			return err_set(e, ERR_BAD_REQUEST,
				       "\"%.50s\" is no "
				       "state of a job: write live, ended or, "
				       "with commas between, some of " LIVE
				       "," ENDED,
				       unknown);
	}
	if (jobs != NULL && !refs_parse(r->arena, "jobs", jobs, &l->jobs, e))
		return false;
	l->by_jobs = jobs != NULL;
	if (pilot != NULL && !refs_one("pilot", pilot, &l->pilot, &uuid, e))
		return false;
	if (workflow != NULL &&
	    !refs_one("workflow", workflow, &l->workflow, &uuid, e))
		return false;
	return true;
}

static void get_jobs(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct list l = { 0 };
	struct err e = ERR_INIT;

	if (!list_decode(r, &l, &e)) {
		req_reply_err(r, &e);
		return;
	}
	view_p_who(p, r);
	view_p_below(p, l.below);
	db_p_i32(p, l.page);
	view_p_words(p, r, l.states);
	db_p_text(p, req_query(r, "project"));
	db_p_text(p, req_query(r, "jobtype"));
	db_p_text(p, req_query(r, "owner"));
	db_p_text(p, req_query(r, "name"));
	db_p_text(p, req_query(r, "key"));
	db_p_text(p, l.tag);
	db_p_text(p, l.tag_value);
	view_p_below(p, l.pilot);
	view_p_refs(p, r, l.by_jobs ? &l.jobs : NULL);
	if (l.since_s < 0)
		db_p_null(p);
	else
		db_p_i64(p, l.since_s);
	db_p_text(p, view_between(r));
	view_p_below(p, l.workflow);
	db_run(r->srv->db, "job_list", p, view_on_list, r);
}

/* GET /api/v1/jobs/{ref} */

struct show {
	int64_t number;
	const char *uuid;
	int64_t deadline_ms; /* 0: answer at once */
	struct park_wait *watch;
};

enum { SHOW_VIEW, SHOW_NUMBER, SHOW_ENDED };

static void show_ask(struct req *r);

static void show_again(struct req *r, bool over)
{
	struct show *s = r->data;

	if (over)
		s->deadline_ms = 0;
	show_ask(r);
}

static void on_show(enum db_outcome o, const struct db_result *res,
		    const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct show *s = r->data;

	if (o != DB_OK)
		db_reply_fault(r, o, fault);
	else if (db_rows(res) == 0)
		view_reply_missing(r,
				   arena_printf(r->arena, "job %s", r->var[0]));
	else if (s->deadline_ms == 0 || db_bool(res, 0, SHOW_ENDED))
		view_reply_text(r, res, SHOW_VIEW);
	else
		park_wait(s->watch, s->deadline_ms, show_again);
}

static void show_ask(struct req *r)
{
	struct show *s = r->data;
	struct db_params *p = db_params_new(r->arena);

	db_p_i64(p, s->number);
	db_p_text(p, s->uuid);
	view_p_who(p, r);
	db_p_bool(p, s->deadline_ms > 0);
	db_run(r->srv->db, "job_show", p, on_show, r);
}

static void get_job(struct req *r)
{
	struct show *s = ARENA_NEW(r->arena, struct show);
	struct err e = ERR_INIT;

	if (!refs_one("job", r->var[0], &s->number, &s->uuid, &e) ||
	    !view_deadline(r, &s->deadline_ms, &e)) {
		req_reply_err(r, &e);
		return;
	}
	r->data = s;
	if (s->deadline_ms > 0)
		s->watch = park_watch(r, PARK_JOB, s->number, s->number);
	show_ask(r);
}

/* GET /api/v1/jobs/{ref}/explain */

static void get_explain(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	const char *uuid;
	int64_t number;

	if (!refs_one("job", r->var[0], &number, &uuid, &e)) {
		req_reply_err(r, &e);
		return;
	}
	r->data = arena_printf(r->arena, "job %s", r->var[0]);
	db_p_i64(p, number);
	db_p_text(p, uuid);
	view_p_who(p, r);
	db_run(r->srv->db, "job_explain", p, view_on_one, r);
}

#define LIST_QUERY                                                 \
	"state project jobtype owner name key tag pilot workflow " \
	"jobs since_s page_size cursor"

const struct route routes_jobs[] = {
	{ "GET", "/api/v1/jobs", MAY_PEOPLE, LIST_QUERY, get_jobs },
	{ "GET", "/api/v1/jobs/counts", MAY_PEOPLE,
	  "jobs first count wait seen_ended", h_jobs_counts },
	{ "POST", "/api/v1/jobs/actions", MAY_CHANGE, NULL, h_jobs_act },
	{ "GET", "/api/v1/jobs/{ref}", MAY_PEOPLE, "wait", get_job },
	{ "GET", "/api/v1/jobs/{ref}/explain", MAY_PEOPLE, NULL, get_explain },
	{ NULL, NULL, 0, NULL, NULL }
};
