/*
 * One workflow and zero-work pilots: how fast jobs go that wait for one
 * another.  The workflow is made held, pilots are there and wait, then it is
 * started: layers of jobs each after some of the layer before, one job with
 * many after it and one after those (fan), or a chain.
 */
#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "tests/bench/bench.h"
#include "tests/bench/http.h"
#include "tests/bench/zpilot.h"

struct shape {
	const char *name;
	int64_t layers, width;
	int64_t after; /* jobs of the layer before that each waits for */
};

struct run {
	int64_t n_joined;
	int64_t n_ended;
	int64_t ended_us;    /* when the last end so far was acknowledged */
	struct samples gaps; /* between answers that acknowledged ends */
	bool answered;
	int64_t workflow;
};

static void on_joined(void *arg)
{
	struct run *r = arg;

	r->n_joined++;
}

static void on_ended(int64_t n, void *arg)
{
	struct run *r = arg;
	int64_t now = clock_mono_us();

	if (r->n_ended > 0)
		samples_add(&r->gaps, now - r->ended_us);
	r->n_ended += n;
	r->ended_us = now;
}

static void on_made(int status, const char *body, size_t len, void *arg)
{
	struct run *r = arg;

	http_expect("making a workflow", status, body, len);
	r->workflow = http_json_int(body, len, "number");
	r->answered = true;
}

static void on_started(int status, const char *body, size_t len, void *arg)
{
	struct run *r = arg;

	http_expect("starting a workflow", status, body, len);
	r->answered = true;
}

/* A job's beginning, as far as the list of those it waits for. */
static void add_job(struct buf *b, int64_t layer, int64_t place)
{
	buf_addf(b, "%s\"%lld.%lld\":{\"payload\":\"x\",\"after\":[",
		 b->data[b->len - 1] == '{' ? "" : ",", (long long)layer,
		 (long long)place);
}

/* Each job waits for its neighbours in the layer before; for all of it by the
 * name of a matrix, which is shorter. */
static void add_layers(struct buf *b, const struct shape *s)
{
	bool all = s->after >= s->width;

	for (int64_t l = 0; l < s->layers; l++)
		for (int64_t i = 0; i < (all ? 1 : s->width); i++) {
			add_job(b, l, i);
			for (int64_t k = 0; l > 0 && k < (all ? 1 : s->after);
			     k++)
				buf_addf(b, "%s\"%lld.%lld\"", k ? "," : "",
					 (long long)l - 1,
					 (long long)((i + k) % s->width));
			buf_adds(b, "]");
			if (all) {
				buf_adds(b, ",\"matrix\":[{}");
				for (int64_t k = 1; k < s->width; k++)
					buf_adds(b, ",{}");
				buf_addc(b, ']');
			}
			buf_addc(b, '}');
		}
}

static void add_fan(struct buf *b, const struct shape *s)
{
	add_job(b, 0, 0);
	buf_adds(b, "]}");
	for (int64_t i = 0; i < s->width; i++) {
		add_job(b, 1, i);
		buf_adds(b, "\"0.0\"]}");
	}
	add_job(b, 2, 0);
	for (int64_t i = 0; i < s->width; i++)
		buf_addf(b, "%s\"1.%lld\"", i ? "," : "", (long long)i);
	buf_adds(b, "]}");
}

/* The document; returns how many jobs it has. */
static int64_t add_document(struct buf *b, const struct shape *s)
{
	bool fan = strcmp(s->name, "fan") == 0;

	if (!fan && strcmp(s->name, "layers") != 0)
		errx(2, "--shape %s: layers or fan", s->name);
	buf_adds(b, "{\"state\":\"held\",\"name\":\"bench\",\"jobs\":{");
	if (fan)
		add_fan(b, s);
	else
		add_layers(b, s);
	buf_adds(b, "}}");
	return fan ? s->width + 2 : s->layers * s->width;
}

static void wait_answer(struct event_base *base, struct run *r)
{
	while (!r->answered)
		event_base_loop(base, EVLOOP_ONCE);
	r->answered = false;
}

static struct zpilot **join(struct event_base *base, struct run *r,
			    const struct zpilot_plan *plan, int64_t n)
{
	struct zpilot **z = xcalloc((size_t)n, sizeof(struct zpilot *));

	for (int64_t i = 0; i < n; i++)
		z[i] = zpilot_new(base, plan);
	while (r->n_joined < n)
		event_base_loop(base, EVLOOP_ONCE);
	for (int64_t i = 0; i < n; i++)
		zpilot_go(z[i]);
	return z;
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	const char *token_file = NULL, *join_file = NULL;
	int64_t pilots = 16, slots = 64, count, start;
	struct shape s = {
		.name = "layers", .layers = 100, .width = 100, .after = 2
	};
	struct run r = { 0 };
	struct zpilot_plan plan = { .offer = "",
				    .on_joined = on_joined,
				    .on_ended = on_ended,
				    .arg = &r };
	struct buf b = BUF_INIT;
	struct zpilot **z;
	struct http *http;
	char *token, *join_token, *path;

	bench_options(argc, argv,
		      (const struct bench_option[]){
			      { "url", &plan.url, NULL },
			      { "token-file", &token_file, NULL },
			      { "join-token-file", &join_file, NULL },
			      { "shape", &s.name, NULL },
			      { "layers", NULL, &s.layers },
			      { "width", NULL, &s.width },
			      { "after", NULL, &s.after },
			      { "pilots", NULL, &pilots },
			      { "slots", NULL, &slots },
			      { NULL, NULL, NULL } });
	token = bench_token(token_file);
	join_token = bench_token(join_file);
	plan.join_token = join_token;
	plan.slots = (int)slots;
	http = http_new(base, plan.url, token);
	count = add_document(&b, &s);
	start = clock_mono_us();
	http_send(http, "POST", "/api/v1/workflows", b.data, b.len, on_made,
		  &r);
	wait_answer(base, &r);
	bench_print("made_per_s",
		    (double)count * 1e6 / (double)(clock_mono_us() - start));
	z = join(base, &r, &plan, pilots);
	path = xasprintf("/api/v1/workflows/%lld/start", (long long)r.workflow);
	start = clock_mono_us();
	http_send(http, "POST", path, NULL, 0, on_started, &r);
	while (r.n_ended < count)
		event_base_loop(base, EVLOOP_ONCE);
	bench_print("ended_per_s",
		    (double)r.n_ended * 1e6 / (double)(r.ended_us - start));
	samples_print(&r.gaps, "gap");
	zpilot_leave(base, z, (size_t)pilots);
	samples_fini(&r.gaps);
	http_free(http);
	buf_fini(&b);
	free(z);
	free(path);
	free(token);
	free(join_token);
	event_base_free(base);
	return 0;
}
