/* The pilot that does no work. */
#include "tests/bench/zpilot.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "tests/bench/http.h"

#define WAIT_S 30
#define ID_CAP 64
#define TOKEN_CAP 256

struct zpilot {
	struct zpilot_plan plan;
	struct http *http;
	struct event *over;   /* what it runs has ended */
	struct http *leaving; /* the connection it takes its leave on */
	bool left;
	char *token;
	char *path, *claim_path, *report_path;
	int64_t request;
	int64_t claimed_us;
	int64_t n_runs; /* in ends */
	struct buf ends;
	struct buf body;
};

static void claim(struct zpilot *z);
static void report(struct zpilot *z);

static void add_free(struct zpilot *z)
{
	buf_addf(&z->body,
		 "\"request\":%lld,\"free\":{\"slots\":%d,\"cores\":%d,"
		 "\"memory\":0}",
		 (long long)++z->request, z->plan.slots, z->plan.slots);
}

static void add_run(struct zpilot *z, const char *run, int run_len, long job)
{
	buf_addf(&z->ends,
		 "%s{\"run\":\"%.*s\",\"job\":%ld,\"state\":\"finished\","
		 "\"exit_code\":0,\"wall_ms\":1,\"user_ms\":1,\"system_ms\":0,"
		 "\"max_rss\":1048576,\"stdout\":{\"size\":0},"
		 "\"stderr\":{\"size\":0},\"started\":false,\"ago_ms\":0}",
		 z->n_runs++ ? "," : "", run_len, run, job);
}

/* A grant begins with its run and job, and nothing else in the answer does
 * so: definitions of these jobs hold no such text. */
static void take_grants(struct zpilot *z, const char *body, size_t len)
{
	static const char mark[] = "{\"run\":\"", then[] = "\",\"job\":";
	const char *end = body + len, *p = body;

	buf_reset(&z->ends);
	z->n_runs = 0;
	while ((p = memmem(p, (size_t)(end - p), mark, sizeof(mark) - 1))) {
		const char *run = p + sizeof(mark) - 1;
		const char *job = memmem(run, (size_t)(end - run), then,
					 sizeof(then) - 1);

		if (!job)
			errx(1, "a grant without a job: %.100s", p);
		p = job + sizeof(then) - 1;
		add_run(z, run, (int)(job - run), strtol(p, NULL, 10));
	}
}

static void on_over(evutil_socket_t fd, short what, void *arg)
{
	struct zpilot *z = arg;

	(void)fd;
	(void)what;
	if (z->leaving)
		return;
	if (z->n_runs)
		report(z);
	else
		claim(z);
}

/* From half to three halves of it, so that pilots do not keep in step. */
static void hold(struct zpilot *z)
{
	int64_t ms = z->plan.hold_ms / 2 + rand() % z->plan.hold_ms;
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	event_add(z->over, &tv);
}

static void next(struct zpilot *z)
{
	if (z->n_runs && z->plan.hold_ms > 0)
		hold(z);
	else if (z->n_runs)
		report(z);
	else
		claim(z);
}

/* Each run whose end was told has to be acknowledged at once. */
static void check_acked(struct zpilot *z, const char *body, size_t len)
{
	const char *p = memmem(body, len, "\"ends\":[", 8);
	int64_t n = 0;

	for (p = p ? p + 8 : NULL; p && p < body + len && *p != ']'; p++)
		n += *p == '"';
	if (n != 2 * z->n_runs)
		errx(1, "%lld ends told, %lld acknowledged: %.*s",
		     (long long)z->n_runs, (long long)n / 2,
		     len > 2000 ? 2000 : (int)len, body);
}

static void on_reported(int status, const char *body, size_t len, void *arg)
{
	struct zpilot *z = arg;
	int64_t n = z->n_runs;

	if (z->leaving)
		return;
	http_expect("a report", status, body, len);
	check_acked(z, body, len);
	take_grants(z, body, len);
	next(z);
	z->plan.on_ended(n, z->plan.arg);
}

static void report(struct zpilot *z)
{
	buf_reset(&z->body);
	buf_adds(&z->body, "{\"ends\":[");
	buf_add(&z->body, z->ends.data, z->ends.len);
	buf_addc(&z->body, ']');
	if (!z->plan.split) {
		buf_addc(&z->body, ',');
		add_free(z);
	}
	buf_addc(&z->body, '}');
	http_send(z->http, "POST", z->report_path, z->body.data, z->body.len,
		  on_reported, z);
}

static void on_claimed(int status, const char *body, size_t len, void *arg)
{
	struct zpilot *z = arg;

	if (z->leaving)
		return;
	http_expect("a claim", status, body, len);
	take_grants(z, body, len);
	if (z->plan.claims && z->n_runs)
		samples_add(z->plan.claims, clock_mono_us() - z->claimed_us);
	next(z);
}

static void claim(struct zpilot *z)
{
	buf_reset(&z->body);
	buf_addc(&z->body, '{');
	add_free(z);
	buf_addf(&z->body, ",\"wait\":%d}", WAIT_S);
	z->claimed_us = clock_mono_us();
	http_send(z->http, "POST", z->claim_path, z->body.data, z->body.len,
		  on_claimed, z);
}

static void on_registered(int status, const char *body, size_t len, void *arg)
{
	struct zpilot *z = arg;
	char id[ID_CAP], token[TOKEN_CAP];

	http_expect("registering a pilot", status, body, len);
	http_json_str(body, len, "pilot", id, sizeof(id));
	http_json_str(body, len, "token", token, sizeof(token));
	z->token = xstrdup(token);
	http_token_set(z->http, token);
	z->path = xasprintf("/api/v1/pilots/%s", id);
	z->claim_path = xasprintf("/api/v1/pilots/%s/claim", id);
	z->report_path = xasprintf("/api/v1/pilots/%s/report", id);
	if (z->plan.on_joined)
		z->plan.on_joined(z->plan.arg);
}

struct zpilot *zpilot_new(struct event_base *base,
			  const struct zpilot_plan *plan)
{
	struct zpilot *z = xcalloc(1, sizeof(*z));

	z->plan = *plan;
	z->http = http_new(base, plan->url, plan->join_token);
	z->over = evtimer_new(base, on_over, z);
	buf_addf(
		&z->body,
		"{\"protocol\":1,\"version\":\"bench\",\"host\":\"bench\","
		"\"slots\":%d,\"cores\":%d,\"memory\":0,\"one_user\":true%s%s}",
		plan->slots, plan->slots, plan->offer[0] ? "," : "",
		plan->offer);
	http_send(z->http, "POST", "/api/v1/pilots", z->body.data, z->body.len,
		  on_registered, z);
	return z;
}

void zpilot_go(struct zpilot *z)
{
	if (z->plan.hold_ms > 0)
		hold(z);
	else
		claim(z);
}

static void on_left(int status, const char *body, size_t len, void *arg)
{
	struct zpilot *z = arg;

	http_expect("leaving", status, body, len);
	z->left = true;
}

static void zpilot_free(struct zpilot *z)
{
	http_free(z->http);
	http_free(z->leaving);
	event_free(z->over);
	free(z->token);
	free(z->path);
	free(z->claim_path);
	free(z->report_path);
	buf_fini(&z->ends);
	buf_fini(&z->body);
	free(z);
}

void zpilot_leave(struct event_base *base, struct zpilot **z, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		z[i]->leaving = http_new(base, z[i]->plan.url, z[i]->token);
		http_send(z[i]->leaving, "DELETE", z[i]->path, NULL, 0, on_left,
			  z[i]);
	}
	for (size_t i = 0; i < n; i++) {
		while (!z[i]->left)
			event_base_loop(base, EVLOOP_ONCE);
		zpilot_free(z[i]);
	}
}
