/*
 * What people do to jobs: cancel, hold, release, retry, delete, adjust.  The
 * rules are the SQL functions'; here many numbers become statements of some
 * hundred each, so that no statement holds its locks for long, and their
 * answers one reply.
 */
#include "server/h_jobs.h"

#include <stddef.h>
#include <string.h>
#include "lib/jobspec.h"
#include "server/lanes.h"
#include "server/server.h"
#include "server/settled.h"
#include "server/view.h"
#include "server/wake.h"

#define STEP 200 /* numbers a statement */
#define TRIES 5  /* of a statement that met a deadlock */
#define NAME_MAX_LEN 1024
#define TEXT_MAX_LEN 65536
#define RETRIES_MAX 100

enum act_flag {
	ACT_FLAG_PARAM = 1, /* the statement has a fifth: the flag */
	ACT_SET_PARAM = 2,  /* the statement has a fifth: what to set */
	ACT_MAKES_WORK = 4, /* some job may be ready that was not */
	ACT_ENDS = 8,       /* jobs without a pilot have ended by it */
	ACT_REVIVES = 16    /* jobs that had ended wait again */
};

struct action {
	const char *name, *stmt;
	unsigned flags;
};

enum { CANCEL, HOLD, RELEASE, RETRY, DELETE, ADJUST };

/*
 * Who leaves a project's gate lets another in; a job that is adjusted changes
 * its place while a claim may look for it where it was.  Delete alone takes
 * only what has ended; with cancel it is the action cancel.
 */
static const struct action actions[] = {
	[CANCEL] = { "cancel", "job_cancel",
		     ACT_FLAG_PARAM | ACT_ENDS | ACT_MAKES_WORK },
	[HOLD] = { "hold", "job_hold", ACT_MAKES_WORK },
	[RELEASE] = { "release", "job_release", ACT_MAKES_WORK },
	[RETRY] = { "retry", "job_retry",
		    ACT_FLAG_PARAM | ACT_MAKES_WORK | ACT_REVIVES },
	[DELETE] = { "delete", "job_delete", 0 },
	[ADJUST] = { "adjust", "job_adjust", ACT_SET_PARAM | ACT_MAKES_WORK },
};

#define N_ACTIONS (sizeof(actions) / sizeof(actions[0]))

struct act {
	const struct action *now, *then; /* then: NULL or what follows */
	bool flag;                       /* delete with it; or by force */
	const char *set;                 /* JSON */
	int64_t *number;
	size_t n, at;
	size_t in_flight;
	size_t n_left; /* of number, not refused so far */
	int tries;
	struct buf refused;
};

enum { COL_NUMBER, COL_CODE, COL_MESSAGE, COL_PILOT, COL_WHAT };

static void step(struct req *r);

static void finish(struct req *r, struct act *a)
{
	struct buf b = BUF_INIT;

	wake_events(r->srv);
	buf_addc(&b, '{');
	buf_json_kv_i64(&b, "done", (int64_t)a->n_left);
	buf_json_key(&b, "refused");
	buf_addf(&b, "[%s]}\n", buf_str(&a->refused));
	req_reply_buf(r, 200, &b);
	buf_fini(&b);
}

static void refuse(struct act *a, const struct db_result *res, size_t row)
{
	struct buf *b = &a->refused;

	buf_json_comma(b);
	buf_addc(b, '{');
	buf_json_kv_i64(b, "job", db_i64(res, row, COL_NUMBER));
	buf_json_kv_str(b, "code", db_text(res, row, COL_CODE));
	buf_json_kv_str(b, "message", db_text(res, row, COL_MESSAGE));
	buf_addc(b, '}');
}

static void tell(struct req *r, const struct action *k,
		 const struct db_result *res, size_t row)
{
	int64_t number = db_i64(res, row, COL_NUMBER);

	if (!db_is_null(res, row, COL_PILOT))
		wake_pilot(r->srv, db_i64(res, row, COL_PILOT));
	else if ((k->flags & ACT_ENDS) != 0)
		wake_ended(r->srv, number);
	else
		wake_job(r->srv, number);
}

static void take_rows(struct req *r, struct act *a, const struct db_result *res)
{
	size_t done = 0;

	for (size_t i = 0; i < db_rows(res); i++) {
		if (settled_row(r->srv, res, i, COL_WHAT, COL_NUMBER))
			continue;
		if (!db_is_null(res, i, COL_CODE)) {
			refuse(a, res, i);
			continue;
		}
		/* What is done goes on to the next action, if any. */
		a->number[a->n_left++] = db_i64(res, i, COL_NUMBER);
		tell(r, a->now, res, i);
		done++;
	}
	if (done > 0 && (a->now->flags & ACT_MAKES_WORK) != 0)
		wake_work(r->srv);
	if (done > 0 && (a->now->flags & ACT_REVIVES) != 0)
		wake_graphs(r->srv);
}

static void on_rows(enum db_outcome o, const struct db_result *res,
		    const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct act *a = r->data;

	if (o == DB_RETRY && ++a->tries < TRIES) {
		step(r);
		return;
	}
	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	a->tries = 0;
	a->at += a->in_flight;
	take_rows(r, a, res);
	if (a->at == a->n && a->then != NULL) {
		a->now = a->then;
		a->then = NULL;
		a->n = a->n_left;
		a->at = 0;
		a->n_left = 0;
	}
	if (a->at < a->n)
		step(r);
	else
		finish(r, a);
}

static void step(struct req *r)
{
	struct act *a = r->data;
	struct db_params *p = db_params_new(r->arena);
	struct db_array *numbers = db_array_new(r->arena, DB_I64);

	a->in_flight = a->n - a->at < STEP ? a->n - a->at : STEP;
	for (size_t i = 0; i < a->in_flight; i++)
		db_a_i64(numbers, a->number[a->at + i]);
	db_p_i32(p, lanes_bucket(r->srv, BUCKET_POOL));
	view_p_who(p, r);
	db_p_array(p, numbers);
	if ((a->now->flags & ACT_FLAG_PARAM) != 0)
		db_p_bool(p, a->flag);
	if ((a->now->flags & ACT_SET_PARAM) != 0)
		db_p_text(p, a->set);
	db_run(r->srv->db, a->now->stmt, p, on_rows, r);
}

/* The body */

struct change {
	int32_t priority;
	bool has_priority;
	int64_t timeout_s;
	bool has_timeout;
	int32_t retries;
	bool has_retries;
	const char *state, *name, *comment, *description;
};

#define AT(field) offsetof(struct change, field)

static const struct json_field change_fields[] = {
	{ "priority", JK_I32, AT(priority), JF_LOOSE, INT32_MIN, INT32_MAX,
	  AT(has_priority) },
	{ "timeout", JK_SECONDS, AT(timeout_s), JF_LOOSE, 0,
	  JOBSPEC_TIMEOUT_MAX, AT(has_timeout) },
	{ "retries", JK_I32, AT(retries), JF_LOOSE, 0, RETRIES_MAX,
	  AT(has_retries) },
	{ "state", JK_STR, AT(state), 0, 0, 0, 0 },
	{ "name", JK_STR, AT(name), 0, 0, NAME_MAX_LEN, 0 },
	{ "comment", JK_STR, AT(comment), 0, 0, TEXT_MAX_LEN, 0 },
	{ "description", JK_STR, AT(description), 0, 0, TEXT_MAX_LEN, 0 },
};

#undef AT

struct wanted {
	const char *action, *jobs;
	int64_t first, count;
	bool cancel, force;
	struct json_object *set;
};

#define AT(field) offsetof(struct wanted, field)

static const struct json_field wanted_fields[] = {
	{ "action", JK_STR, AT(action), JF_REQUIRED, 0, 0, 0 },
	{ "jobs", JK_STR, AT(jobs), 0, 0, 0, 0 },
	{ "first", JK_I64, AT(first), 0, 1, INT64_MAX, 0 },
	{ "count", JK_I64, AT(count), 0, 1, INT64_MAX, 0 },
	{ "cancel", JK_BOOL, AT(cancel), 0, 0, 0, 0 },
	{ "force", JK_BOOL, AT(force), 0, 0, 0, 0 },
	{ "set", JK_OBJECT, AT(set), 0, 0, 0, 0 },
};

#undef AT

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* The state that a change asks for is an action of its own. */
static bool state_action(const struct change *c, const struct action **out,
			 struct err *e)
{
	*out = NULL;
	if (c->state == NULL)
		return true;
	if (strcmp(c->state, "held") == 0)
		*out = &actions[HOLD];
	else if (strcmp(c->state, "defined") == 0)
		*out = &actions[RELEASE];
	else
		return err_set(e, ERR_CONFLICT,
			       "the state of a job can be "
			       "set to held or defined, not to \"%.50s\": "
			       "everything else happens to it",
			       c->state);
	return true;
}

static const char *change_json(struct req *r, const struct change *c)
{
	struct buf b = BUF_INIT;
	const char *text;

	buf_addc(&b, '{');
	if (c->has_priority)
		buf_json_kv_i64(&b, "priority", c->priority);
	if (c->has_timeout)
		buf_json_kv_i64(&b, "timeout", c->timeout_s);
	if (c->has_retries)
		buf_json_kv_i64(&b, "retries", c->retries);
	if (c->name != NULL)
		buf_json_kv_str(&b, "name", c->name);
	if (c->comment != NULL)
		buf_json_kv_str(&b, "comment", c->comment);
	if (c->description != NULL)
		buf_json_kv_str(&b, "description", c->description);
	buf_addc(&b, '}');
	text = arena_strdup(r->arena, buf_str(&b));
	buf_fini(&b);
	return text;
}

static bool decode_set(struct req *r, const struct wanted *w, struct act *a,
		       struct err *e)
{
	struct change c = { 0 };
	const struct action *state;

	if (w->set == NULL || json_len(w->set) == 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"set\" is missing: it "
			       "says what to change");
	if (!json_decode(w->set, change_fields, N(change_fields), &c, "\"set\"",
			 e) ||
	    !state_action(&c, &state, e))
		return false;
	a->set = change_json(r, &c);
	if (strcmp(a->set, "{}") != 0)
		a->then = state;
	else if (state != NULL)
		a->now = state;
	return true;
}

static bool decode_action(struct req *r, const struct wanted *w, struct act *a,
			  struct err *e)
{
	for (size_t i = 0; i < N_ACTIONS && a->now == NULL; i++) {
		if (strcmp(actions[i].name, w->action) == 0)
			a->now = &actions[i];
	}
	if (a->now == NULL)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"action\" must be cancel, "
			       "hold, release, retry, delete or adjust, not "
			       "\"%.50s\"",
			       w->action);
	if (w->cancel && a->now != &actions[DELETE])
		return err_set(e, ERR_BAD_REQUEST,
			       "\"cancel\" goes with the action delete");
	if (w->force && a->now != &actions[RETRY])
		return err_set(e, ERR_BAD_REQUEST,
			       "\"force\" goes with the action retry");
	if (a->now == &actions[ADJUST])
		return decode_set(r, w, a, e);
	if (w->set != NULL)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"set\" goes with the action adjust");
	a->flag = w->cancel || w->force;
	if (w->cancel)
		a->now = &actions[CANCEL];
	return true;
}

static bool decode_jobs(struct req *r, const struct wanted *w, struct act *a,
			struct err *e)
{
	struct refs jobs;
	bool span = w->first != 0 || w->count != 0;

	if ((w->jobs != NULL) == span)
		return err_set(e, ERR_BAD_REQUEST,
			       "say which jobs: \"jobs\", "
			       "or \"first\" and \"count\"");
	if (w->jobs != NULL && !refs_parse(r->arena, "jobs", w->jobs, &jobs, e))
		return false;
	if (span && !refs_span(r->arena, w->first, w->count, &jobs, e))
		return false;
	if (jobs.n_numbers > REFS_NUMBERS_MAX)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"count\" is more than %d, "
			       "which go into one call",
			       REFS_NUMBERS_MAX);
	a->number = ARENA_ARRAY(r->arena, int64_t, jobs.n_numbers);
	for (size_t i = 0; i < jobs.n; i++) {
		for (int64_t n = jobs.range[i].lo; n <= jobs.range[i].hi; n++)
			a->number[a->n++] = n;
	}
	return true;
}

void h_jobs_act(struct req *r)
{
	struct act *a = ARENA_NEW(r->arena, struct act);
	struct wanted w = { 0 };
	struct err e = ERR_INIT;

	if (!view_body(r, wanted_fields, N(wanted_fields), &w, &e) ||
	    !decode_action(r, &w, a, &e) || !decode_jobs(r, &w, a, &e)) {
		req_reply_err(r, &e);
		return;
	}
	buf_init_in(&a->refused, r->arena);
	r->data = a;
	step(r);
}
