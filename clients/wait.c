/*
 * Waits for jobs by long polls of their counts, so that a hundred thousand of
 * them cost the server no more than one.
 */
#include "clients/wait.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/call.h"
#include "clients/human.h"
#include "clients/jobview.h"
#include "clients/list.h"
#include "clients/progress.h"
#include "clients/query.h"
#include "lib/clock.h"

#define POLL_S 30
#define NUMBERS_MAX 10000
/* More than there are states of jobs. */
#define STATES_MAX 32

struct state_count {
	const char *state;
	int64_t n;
};

struct waiting {
	struct cli *c;
	struct arena *a;     /* for one answer at a time */
	int64_t deadline_ms; /* 0 = none */
	bool hurry;          /* it is decided: only count the rest */
	struct progress *bar;
	int64_t ended_before; /* in parts that are complete */
	int64_t bad;          /* jobs that did not finish */
	int64_t missing;      /* jobs that do not exist */
	int status;           /* of the first of these */
	int64_t total, ended; /* of all parts, with the states: what --json */
	size_t n_states;      /* tells */
	struct state_count states[STATES_MAX];
	const char *worst; /* JSON or NULL */
};

static void write_path(struct buf *b, const struct refs *part)
{
	struct buf numbers = BUF_INIT;

	buf_adds(b, "/api/v1/jobs/counts");
	if (part->n == 1) {
		query_add_i64(b, "first", part->ranges[0].first);
		query_add_i64(b, "count", refs_count(part));
		return;
	}
	refs_write(&numbers, part);
	query_add(b, "jobs", buf_str(&numbers));
	buf_fini(&numbers);
}

/* "3 running, 90 defined" */
static bool add_state(const char *state, struct json_object *n, void *arg)
{
	struct buf *b = arg;

	if (json_type(n) != JSON_INT || json_int(n) == 0 ||
	    strcmp(state, "finished") == 0)
		return true;
	if (b->len > 0)
		buf_adds(b, ", ");
	human_count(b, json_int(n));
	buf_addf(b, " %s", state);
	return true;
}

static void show(struct waiting *w, struct json_object *counts)
{
	struct json_object *states = json_get(counts, "states");
	struct buf note = BUF_INIT;

	if (states != NULL && json_type(states) == JSON_OBJECT)
		json_each(states, add_state, &note);
	progress_set(w->bar, w->ended_before + json_get_int(counts, "ended"),
		     buf_str(&note));
	buf_fini(&note);
}

static void note_bad(struct waiting *w, struct json_object *counts)
{
	struct json_object *worst = json_get(counts, "worst");
	struct json_object *states = json_get(counts, "states");
	int64_t good = states && json_type(states) == JSON_OBJECT
			       ? json_get_int(states, "finished")
			       : 0;
	struct buf b = BUF_INIT;

	w->ended_before += json_get_int(counts, "ended");
	w->bad += json_get_int(counts, "ended") - good;
	if (worst == NULL || json_type(worst) != JSON_OBJECT)
		return;
	if (w->status == CLI_OK) {
		w->status = jobview_exit(worst);
		progress_hide(w->bar);
		jobview_sentence(&b, worst);
		cli_note("%s", buf_str(&b));
		buf_fini(&b);
	}
}

static bool sum_state(const char *state, struct json_object *n, void *arg)
{
	struct waiting *w = arg;
	size_t i = 0;

	if (json_type(n) != JSON_INT)
		return true;
	while (i < w->n_states && strcmp(w->states[i].state, state) != 0)
		i++;
	if (i == STATES_MAX)
		return true;
	if (i == w->n_states)
		w->states[w->n_states++].state =
			arena_strdup(w->c->arena, state);
	w->states[i].n += json_int(n);
	return true;
}

/* Adds the last counts of a part to those of all. */
static void sum(struct waiting *w, const struct refs *part,
		struct json_object *counts)
{
	struct json_object *states = json_get(counts, "states");
	struct json_object *worst = json_get(counts, "worst");
	struct buf b = BUF_INIT;

	w->total += json_get_int(counts, "total");
	w->missing += refs_count(part) - json_get_int(counts, "total");
	w->ended += json_get_int(counts, "ended");
	if (states != NULL && json_type(states) == JSON_OBJECT)
		json_each(states, sum_state, w);
	if (w->worst != NULL || worst == NULL ||
	    json_type(worst) != JSON_OBJECT)
		return;
	json_write(&b, worst);
	w->worst = arena_strdup(w->c->arena, buf_str(&b));
	buf_fini(&b);
}

/* One document as the server's counts, whatever number of parts there was. */
static void write_document(const struct waiting *w)
{
	struct buf b = BUF_INIT;

	buf_addc(&b, '{');
	buf_json_kv_i64(&b, "total", w->total);
	buf_json_kv_i64(&b, "ended", w->ended);
	if (w->missing > 0)
		buf_json_kv_i64(&b, "missing", w->missing);
	buf_json_key(&b, "states");
	buf_addc(&b, '{');
	for (size_t i = 0; i < w->n_states; i++)
		buf_json_kv_i64(&b, w->states[i].state, w->states[i].n);
	buf_addc(&b, '}');
	if (w->worst != NULL) {
		buf_json_key(&b, "worst");
		buf_adds(&b, w->worst);
	}
	buf_addc(&b, '}');
	list_raw(buf_str(&b), b.len);
	buf_fini(&b);
}

/* One long poll; *left_s is how long it may take. */
static bool poll_s(const struct waiting *w, int64_t *left_s)
{
	int64_t left_ms;

	*left_s = POLL_S;
	if (w->hurry)
		return false;
	if (w->deadline_ms == 0)
		return true;
	left_ms = w->deadline_ms - clock_mono_ms();
	if (left_ms <= 0)
		return false;
	if ((left_ms + 999) / 1000 < POLL_S)
		*left_s = (left_ms + 999) / 1000;
	return true;
}

/* Waits for at most 10,000 jobs, or for any number in one range. */
static int wait_part(struct waiting *w, const struct refs *part)
{
	struct call_answer answer;
	struct err e = ERR_INIT;
	struct buf path = BUF_INIT;
	int64_t seen = -1;
	size_t len;
	int status = CLI_OK;

	write_path(&path, part);
	len = path.len;
	for (;;) {
		struct call_request r = { .method = "GET" };
		int64_t total;

		path.data[path.len = len] = '\0';
		if (seen >= 0) {
			if (!poll_s(w, &r.wait_s)) {
				sum(w, part, answer.doc);
				status = CLI_GAVE_UP;
				break;
			}
			query_add_i64(&path, "wait", r.wait_s);
			/* Without a bar only the end matters. */
			if (progress_shown(w->bar))
				query_add_i64(&path, "seen_ended", seen);
		}
		r.path = buf_str(&path);
		arena_reset(w->a);
		if (!call_send(w->c, w->a, &r, &answer, &e)) {
			progress_hide(w->bar);
			status = cli_fail(w->c, &e);
			break;
		}
		seen = json_get_int(answer.doc, "ended");
		total = json_get_int(answer.doc, "total");
		show(w, answer.doc);
		if (seen >= total) {
			sum(w, part, answer.doc);
			note_bad(w, answer.doc);
			if (w->missing > 0 && w->status == CLI_OK)
				status = CLI_NOT_FOUND;
			break;
		}
	}
	buf_fini(&path);
	return status;
}

static int tell(struct waiting *w, int status, int64_t total)
{
	struct buf b = BUF_INIT;

	if (status == CLI_GAVE_UP) {
		cli_note("gave up: not all jobs have ended in time");
		return status;
	}
	if (status == CLI_NOT_FOUND) {
		cli_note("%" PRId64 " of the jobs %s not exist: `sortie job "
			 "list` shows which do",
			 w->missing, w->missing == 1 ? "does" : "do");
		return CLI_OWN;
	}
	if (status != CLI_OK)
		return status;
	human_count(&b, w->ended_before - w->bad);
	buf_adds(&b, " of ");
	human_plural(&b, total, "job");
	buf_adds(&b, " finished");
	if (w->bad > 0) {
		buf_adds(&b, ", ");
		human_count(&b, w->bad);
		buf_adds(&b, " did not");
	}
	cli_say(w->c, "%s", buf_str(&b));
	buf_fini(&b);
	return w->status;
}

/* The counts are known; anything else was a failure that has been told. */
static bool is_counted(int status)
{
	return status == CLI_OK || status == CLI_GAVE_UP ||
	       status == CLI_NOT_FOUND;
}

/* As soon as one part decides, the others are only counted. */
static int wait_parts(struct waiting *w, const struct refs *refs)
{
	struct refs rest = *refs, part;
	int status = CLI_OK;

	while (refs_take(w->c->arena, &rest, &part, NUMBERS_MAX)) {
		int got = wait_part(w, &part);

		if (!is_counted(got))
			return got;
		if (status == CLI_OK)
			status = got;
		w->hurry = status != CLI_OK;
	}
	return status;
}

int wait_jobs(struct cli *c, const struct refs *refs, int64_t timeout_s,
	      bool document)
{
	struct waiting w = { .c = c, .a = arena_new() };
	int64_t total = refs_count(refs);
	int status;

	if (timeout_s > 0)
		w.deadline_ms = clock_mono_ms() + timeout_s * 1000;
	w.bar = progress_new("waiting", total, c->settings->quiet);
	status = refs->n == 1 ? wait_part(&w, refs) : wait_parts(&w, refs);
	progress_free(w.bar);
	arena_free(w.a);
	if (document && is_counted(status) &&
	    (c->settings->json || c->settings->ndjson))
		write_document(&w);
	return tell(&w, status, total);
}
