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
#include "clients/progress.h"
#include "clients/query.h"
#include "lib/clock.h"

#define POLL_S 30
#define NUMBERS_MAX 10000

struct waiting {
	struct cli *c;
	struct arena *a;     /* for one answer at a time */
	int64_t deadline_ms; /* 0 = none */
	struct progress *bar;
	int64_t ended_before; /* in parts that are complete */
	int64_t bad;          /* jobs that did not finish */
	int64_t missing;      /* jobs that do not exist */
	int status;           /* of the first of these */
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

/* One long poll; *left_s is how long it may take. */
static bool poll_s(const struct waiting *w, int64_t *left_s)
{
	int64_t left_ms;

	*left_s = POLL_S;
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

		if (!poll_s(w, &r.wait_s)) {
			status = CLI_GAVE_UP;
			break;
		}
		path.data[path.len = len] = '\0';
		if (seen >= 0) {
			query_add_i64(&path, "wait", r.wait_s);
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
			note_bad(w, answer.doc);
			w->missing += refs_count(part) - total;
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

int wait_jobs(struct cli *c, const struct refs *refs, int64_t timeout_s)
{
	struct refs rest = *refs, part;
	struct waiting w = { .c = c, .a = arena_new() };
	int64_t total = refs_count(refs);
	int status = CLI_OK;

	if (timeout_s > 0)
		w.deadline_ms = clock_mono_ms() + timeout_s * 1000;
	w.bar = progress_new("waiting", total, c->settings->quiet);
	if (rest.n == 1)
		status = wait_part(&w, &rest);
	else
		while (status == CLI_OK &&
		       refs_take(c->arena, &rest, &part, NUMBERS_MAX))
			status = wait_part(&w, &part);
	progress_free(w.bar);
	arena_free(w.a);
	return tell(&w, status, total);
}
