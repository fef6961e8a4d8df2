/*
 * How many of some jobs are in which state, with the wait of whoever submitted
 * many and wants to know when the next has ended.
 */
#include "server/h_jobs.h"

#include <string.h>
#include "lib/clock.h"
#include "lib/id.h"
#include "server/park.h"
#include "server/server.h"
#include "server/view.h"

/* A count over many jobs takes long: 3 ms for 10,000. A waiting client gets an
 * answer at most every so many times that long, so that waits cost a tenth of
 * a core and not what runs the jobs (they took 200 us of each of 10,000). */
#define PAUSE_FACTOR 10
#define MANY_JOBS 1000

struct counts {
	struct refs jobs;
	int64_t deadline_ms; /* 0: answer at once */
	int64_t seen_ended;  /* -1: only the end of all is waited for */
	int64_t asked_ms;
	bool many;
	struct park_wait *watch;
	struct park_wait *pause;
	const char *held; /* the answer that comes after the pause */
};

enum { COUNTS_VIEW, COUNTS_TOTAL, COUNTS_ENDED };
enum { LEFT_SOME };

static void ask(struct req *r);
static void count(struct req *r);

static void again(struct req *r, bool over)
{
	struct counts *c = r->data;

	if (over)
		c->deadline_ms = 0;
	ask(r);
}

static void paused(struct req *r, bool over)
{
	struct counts *c = r->data;

	(void)over;
	if (c->held != NULL)
		req_reply_json(r, 200, c->held, strlen(c->held));
	else
		park_wait(c->watch, c->deadline_ms, again);
}

static void wait_on(struct req *r, struct counts *c)
{
	int64_t now_ms = clock_mono_ms();
	int64_t took_ms = now_ms - c->asked_ms;
	int64_t until_ms = now_ms + took_ms * PAUSE_FACTOR;

	if (!c->many || until_ms >= c->deadline_ms) {
		paused(r, false);
		return;
	}
	/* No job has that number: this only lets time pass. */
	if (c->pause == NULL)
		c->pause =
			park_watch(r, PARK_JOB, ID_NUMBER_MAX, ID_NUMBER_MAX);
	park_wait(c->pause, until_ms, paused);
}

static void on_counts(enum db_outcome o, const struct db_result *res,
		      const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct counts *c = r->data;
	int64_t ended;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	ended = db_i64(res, 0, COUNTS_ENDED);
	if (c->deadline_ms == 0 || ended == db_i64(res, 0, COUNTS_TOTAL)) {
		view_reply_text(r, res, COUNTS_VIEW);
		return;
	}
	if (c->seen_ended >= 0 && ended != c->seen_ended)
		c->held = arena_strdup(r->arena, db_text(res, 0, COUNTS_VIEW));
	c->many = db_i64(res, 0, COUNTS_TOTAL) >= MANY_JOBS;
	wait_on(r, c);
}

static void on_left(enum db_outcome o, const struct db_result *res,
		    const struct db_fault *fault, void *arg)
{
	struct req *r = arg;

	if (o != DB_OK)
		db_reply_fault(r, o, fault);
	else if (db_bool(res, 0, LEFT_SOME))
		wait_on(r, r->data);
	else
		count(r);
}

static void run(struct req *r, const char *statement, db_done_fn *done)
{
	struct counts *c = r->data;
	struct db_params *p = db_params_new(r->arena);

	c->asked_ms = clock_mono_ms();
	view_p_refs(p, r, &c->jobs);
	view_p_who(p, r);
	db_run(r->srv->db, statement, p, done, r);
}

static void count(struct req *r)
{
	run(r, "job_counts", on_counts);
}

/* Whoever waits for the end of many has them counted at the end alone. */
static void ask(struct req *r)
{
	struct counts *c = r->data;

	if (c->many && c->seen_ended < 0 && c->deadline_ms > 0)
		run(r, "job_left", on_left);
	else
		count(r);
}

static bool decode(struct req *r, struct counts *c, struct err *e)
{
	const char *jobs = req_query(r, "jobs");
	bool span =
		req_query(r, "first") != NULL || req_query(r, "count") != NULL;
	int64_t first, count;

	if (!view_deadline(r, &c->deadline_ms, e) ||
	    !req_query_i64(r, "seen_ended", 0, INT64_MAX, -1, &c->seen_ended,
			   e) ||
	    !req_query_i64(r, "first", 1, ID_NUMBER_MAX, 1, &first, e) ||
	    !req_query_i64(r, "count", 1, ID_NUMBER_MAX, 1, &count, e))
		return false;
	if ((jobs != NULL) == span)
		return err_set(e, ERR_BAD_REQUEST,
			       "say which jobs: \"jobs\", "
			       "or \"first\" and \"count\"");
	return jobs != NULL ? refs_parse(r->arena, "jobs", jobs, &c->jobs, e)
			    : refs_span(r->arena, first, count, &c->jobs, e);
}

void h_jobs_counts(struct req *r)
{
	struct counts *c = ARENA_NEW(r->arena, struct counts);
	struct err e = ERR_INIT;

	if (!decode(r, c, &e)) {
		req_reply_err(r, &e);
		return;
	}
	r->data = c;
	if (c->deadline_ms > 0)
		c->watch = park_watch(r, PARK_ENDS, c->jobs.range[0].lo,
				      c->jobs.range[c->jobs.n - 1].hi);
	ask(r);
}
