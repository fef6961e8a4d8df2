/*
 * The table of duties, and the clock that calls them: one statement at a time
 * each, a bounded step each time.
 */
#include "server/duty.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "server/blob.h"
#include "server/lanes_int.h"
#include "server/metrics.h"
#include "server/options.h"
#include "server/wake.h"

#define LOOK_MS 250
/* After a step that did all it may the next one rests so many times as long
 * as that took: a quarter of one connection's time is the most that a duty
 * takes, and what it can do grows with the machine. */
#define REST 3
#define FIRING_EDGES 1000
#define CANCEL_JOBS 500
#define RETRY_JOBS 1000
#define LOOK_JOBS 1000
#define PRIORITY_JOBS 500
#define STEP_JOBS 1000
#define RETENTION_JOBS 500
#define RESERVE_AFTER_S 60
#define SUBMISSION_S 3600
#define CLASSES 200
#define BLOBS 1000

struct duties;

struct duty {
	const char *stmt;
	int64_t period_ms;
	bool urgent; /* somebody waits for it: no pause between steps */
	/* False: nothing to do this time. */
	bool (*params)(struct duties *d, struct arena *a, struct db_params *p);
	/* Returns whether there is more to do at once. */
	bool (*done)(struct duties *d, const struct db_result *r);
};

static bool due_params(struct duties *d, struct arena *a, struct db_params *p);
static bool due_done(struct duties *d, const struct db_result *r);
static bool reserve_params(struct duties *d, struct arena *a,
			   struct db_params *p);
static bool nothing_done(struct duties *d, const struct db_result *r);
static bool idempotency_params(struct duties *d, struct arena *a,
			       struct db_params *p);
static bool submission_params(struct duties *d, struct arena *a,
			      struct db_params *p);
static bool classes_params(struct duties *d, struct arena *a,
			   struct db_params *p);
static bool counted_done(struct duties *d, const struct db_result *r);
static bool no_params(struct duties *d, struct arena *a, struct db_params *p);
static bool retention_params(struct duties *d, struct arena *a,
			     struct db_params *p);
static bool retention_done(struct duties *d, const struct db_result *r);
static bool blobs_params(struct duties *d, struct arena *a,
			 struct db_params *p);
static bool blobs_done(struct duties *d, const struct db_result *r);

static bool firing_params(struct duties *d, struct arena *a,
			  struct db_params *p);
static bool cancel_params(struct duties *d, struct arena *a,
			  struct db_params *p);
static bool retry_params(struct duties *d, struct arena *a,
			 struct db_params *p);
static bool look_params(struct duties *d, struct arena *a, struct db_params *p);
static bool priority_params(struct duties *d, struct arena *a,
			    struct db_params *p);
static bool graph_done(struct duties *d, const struct db_result *r);
static bool forget_params(struct duties *d, struct arena *a,
			  struct db_params *p);
static bool forget_done(struct duties *d, const struct db_result *r);

static const struct duty duties[] = {
	[DUTY_FIRING] = { "duty_firing", 1000, true, firing_params,
			  graph_done },
	[DUTY_WORKFLOW_CANCEL] = { "duty_workflow_cancel", 1000, true,
				   cancel_params, graph_done },
	[DUTY_WORKFLOW_RETRY] = { "duty_workflow_retry", 1000, true,
				  retry_params, graph_done },
	[DUTY_WORKFLOW_LOOK] = { "duty_workflow_look", 1000, true, look_params,
				 graph_done },
	[DUTY_WORKFLOW_PRIORITY] = { "duty_workflow_priority", 1000, true,
				     priority_params, graph_done },
	[DUTY_WORKFLOW_FORGET] = { "duty_workflow_forget", 30000, true,
				   forget_params, forget_done },
	{ "duty_due", 1000, false, due_params, due_done },
	{ "duty_reserve", 5000, false, reserve_params, nothing_done },
	{ "duty_idempotency", 60000, false, idempotency_params, counted_done },
	{ "duty_submissions", 60000, false, submission_params, counted_done },
	{ "duty_classes", 300000, false, classes_params, nothing_done },
	{ "duty_tally", 8000, false, no_params, nothing_done },
	{ "duty_stored", 10000, false, no_params, nothing_done },
	{ "retention_step", 30000, false, retention_params, retention_done },
	{ "duty_blobs", 60000, false, blobs_params, blobs_done },
};

#define N_DUTIES (sizeof(duties) / sizeof(duties[0]))

enum { STEPS, FAILED, N_METRICS };

struct state {
	struct duties *of;
	const struct duty *duty;
	struct arena *arena; /* while its statement runs */
	int64_t due_ms;
	int64_t begun_us;
	struct event *rested;
	bool poked; /* while its statement ran */
};

struct duties {
	struct server *srv;
	struct event *timer;
	struct state state[N_DUTIES];
	struct metric **metric;
	uint8_t folder; /* of blobs, next to look at */
	struct db_array *found;
};

static bool no_params(struct duties *d, struct arena *a, struct db_params *p)
{
	(void)d;
	(void)a;
	(void)p;
	return true;
}

static bool nothing_done(struct duties *d, const struct db_result *r)
{
	(void)d;
	(void)r;
	return false;
}

static bool counted_done(struct duties *d, const struct db_result *r)
{
	(void)d;
	return db_i64(r, 0, 0) >= STEP_JOBS;
}

static bool due_params(struct duties *d, struct arena *a, struct db_params *p)
{
	(void)a;
	db_p_i32(p, lanes_bucket(d->srv, BUCKET_DUE));
	db_p_i32(p, STEP_JOBS);
	return true;
}

static bool due_done(struct duties *d, const struct db_result *r)
{
	int64_t n = db_i64(r, 0, 0);

	if (n > 0)
		wake_work(d->srv);
	return n >= STEP_JOBS;
}

static bool reserve_params(struct duties *d, struct arena *a,
			   struct db_params *p)
{
	(void)d;
	(void)a;
	db_p_i32(p, RESERVE_AFTER_S);
	return true;
}

static bool idempotency_params(struct duties *d, struct arena *a,
			       struct db_params *p)
{
	(void)d;
	(void)a;
	db_p_i32(p, STEP_JOBS);
	return true;
}

static bool submission_params(struct duties *d, struct arena *a,
			      struct db_params *p)
{
	(void)d;
	(void)a;
	db_p_i32(p, SUBMISSION_S);
	db_p_i32(p, STEP_JOBS);
	return true;
}

static bool classes_params(struct duties *d, struct arena *a,
			   struct db_params *p)
{
	(void)d;
	(void)a;
	db_p_i32(p, CLASSES);
	return true;
}

static bool retention_params(struct duties *d, struct arena *a,
			     struct db_params *p)
{
	(void)a;
	db_p_i32(p, lanes_bucket(d->srv, BUCKET_RETENTION));
	db_p_i64(p, d->srv->set->retention_s);
	db_p_i64(p, d->srv->set->event_retention_s);
	db_p_i32(p, RETENTION_JOBS);
	return true;
}

static bool retention_done(struct duties *d, const struct db_result *r)
{
	(void)d;
	return db_bool(r, 0, 3);
}

static bool firing_params(struct duties *d, struct arena *a,
			  struct db_params *p)
{
	(void)a;
	db_p_i32(p, lanes_bucket(d->srv, BUCKET_FIRING));
	db_p_i32(p, FIRING_EDGES);
	return true;
}

static bool cancel_params(struct duties *d, struct arena *a,
			  struct db_params *p)
{
	(void)a;
	db_p_i32(p, lanes_bucket(d->srv, BUCKET_CANCEL));
	db_p_i32(p, CANCEL_JOBS);
	return true;
}

static bool retry_params(struct duties *d, struct arena *a, struct db_params *p)
{
	(void)a;
	db_p_i32(p, lanes_bucket(d->srv, BUCKET_RETRY));
	db_p_i32(p, RETRY_JOBS);
	return true;
}

static bool look_params(struct duties *d, struct arena *a, struct db_params *p)
{
	(void)a;
	db_p_i32(p, lanes_bucket(d->srv, BUCKET_LOOK));
	db_p_i32(p, LOOK_JOBS);
	return true;
}

static bool priority_params(struct duties *d, struct arena *a,
			    struct db_params *p)
{
	(void)a;
	db_p_i32(p, lanes_bucket(d->srv, BUCKET_PRIORITY));
	db_p_i32(p, PRIORITY_JOBS);
	return true;
}

/* How many, whether there are more, classes that have work, pilots that have
 * orders. */
static bool graph_done(struct duties *d, const struct db_result *r)
{
	if (db_i64(r, 0, 0) > 0) {
		wake_listed(d->srv, r, 0, 2, 3);
		wake_graphs(d->srv);
	}
	return db_bool(r, 0, 1);
}

static bool forget_params(struct duties *d, struct arena *a,
			  struct db_params *p)
{
	(void)a;
	db_p_i32(p, lanes_bucket(d->srv, BUCKET_FORGET));
	db_p_i32(p, RETENTION_JOBS);
	db_p_i64(p, d->srv->set->retention_s);
	return true;
}

static bool forget_done(struct duties *d, const struct db_result *r)
{
	(void)d;
	return db_bool(r, 0, 1);
}

static void on_blob(const uint8_t hash[32], void *arg)
{
	struct duties *d = arg;

	db_a_text(d->found, (const char *)hash, 32);
}

/* A folder a minute: all of them in four hours. */
static bool blobs_params(struct duties *d, struct arena *a, struct db_params *p)
{
	d->found = db_array_new(a, DB_BYTEA);
	blob_each(d->srv->blobs, d->folder++, BLOBS, on_blob, d);
	db_p_array(p, d->found);
	return db_a_len(d->found) > 0;
}

static bool blobs_done(struct duties *d, const struct db_result *r)
{
	for (size_t row = 0; row < db_rows(r); row++) {
		struct buf b = BUF_INIT;
		struct err e;

		if (!db_bytes(r, row, 0, &b) || b.len != 32)
			BUG("a blob's name is not a SHA-256");
		if (!blob_remove(d->srv->blobs, (const uint8_t *)b.data, &e))
			log_warn("%s", e.text);
		buf_fini(&b);
	}
	return false;
}

static void at_once(struct state *s)
{
	s->due_ms = 0;
	event_active(s->of->timer, EV_TIMEOUT, 0);
}

static void on_rested(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	at_once(arg);
}

static void rest(struct state *s)
{
	int64_t us = REST * (clock_mono_us() - s->begun_us);
	struct timeval tv = { us / 1000000, us % 1000000 };

	event_add(s->rested, &tv);
}

static void on_done(enum db_outcome o, const struct db_result *r,
		    const struct db_fault *f, void *arg)
{
	struct state *s = arg;
	bool more = false;

	if (o == DB_OK) {
		metric_add(s->of->metric[STEPS], 1);
		more = s->duty->done(s->of, r);
	} else {
		metric_add(s->of->metric[FAILED], 1);
		log_warn("the duty \"%s\" failed: %s", s->duty->stmt,
			 f->err.text);
	}
	arena_free(s->arena);
	s->arena = NULL;
	s->due_ms = clock_mono_ms() + s->duty->period_ms;
	if (s->poked || (more && s->duty->urgent))
		at_once(s);
	else if (more)
		rest(s);
}

static void duty_start(struct state *s)
{
	struct duties *d = s->of;
	struct db_params *p;

	s->poked = false;
	s->begun_us = clock_mono_us();
	s->arena = arena_new();
	p = db_params_new(s->arena);
	if (s->duty->params(d, s->arena, p)) {
		db_run(d->srv->db, s->duty->stmt, p, on_done, s);
		return;
	}
	arena_free(s->arena);
	s->arena = NULL;
	s->due_ms = clock_mono_ms() + s->duty->period_ms;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct duties *d = arg;
	int64_t now_ms = clock_mono_ms();

	(void)fd;
	(void)what;
	for (size_t i = 0; i < N_DUTIES; i++) {
		struct state *s = &d->state[i];

		if (s->arena == NULL && now_ms >= s->due_ms &&
		    db_up(d->srv->db))
			duty_start(s);
	}
}

void duty_poke(struct duties *d, enum duty_name which)
{
	struct state *s = &d->state[which];

	if (s->arena != NULL)
		s->poked = true;
	else
		at_once(s);
}

struct duties *duties_new(struct server *srv)
{
	static const struct timeval look = { 0, LOOK_MS * 1000 };
	static const struct metric_def defs[N_METRICS] = {
		[STEPS] = { "sortie_duty_steps_total", NULL, METRIC_COUNTER,
			    "Steps of periodic duties." },
		[FAILED] = { "sortie_duty_failures_total", NULL, METRIC_COUNTER,
			     "Steps that failed." },
	};
	struct duties *d = xcalloc(1, sizeof(*d));

	d->srv = srv;
	d->metric = metrics_register(srv->metrics, defs, N_METRICS);
	for (size_t i = 0; i < N_DUTIES; i++) {
		d->state[i].of = d;
		d->state[i].duty = &duties[i];
		d->state[i].rested =
			evtimer_new(srv->base, on_rested, &d->state[i]);
		/* Not all in one second, and not all servers at once. */
		d->state[i].due_ms = clock_mono_ms() +
				     duties[i].period_ms * (int64_t)(i + 1) /
					     (int64_t)N_DUTIES;
	}
	d->timer = event_new(srv->base, -1, EV_PERSIST, on_timer, d);
	event_add(d->timer, &look);
	return d;
}

void duties_free(struct duties *d)
{
	if (d == NULL)
		return;
	event_free(d->timer);
	for (size_t i = 0; i < N_DUTIES; i++) {
		event_free(d->state[i].rested);
		arena_free(d->state[i].arena);
	}
	free(d);
}
