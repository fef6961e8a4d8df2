/*
 * One job at a time: from before it is submitted until its result is in the
 * hands of a client that waits for it, with one pilot that does no work.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>

#include "lib/clock.h"
#include "tests/bench/bench.h"
#include "tests/bench/http.h"
#include "tests/bench/zpilot.h"

#define WARM_UP 50

static const char job[] =
	"{\"name\":\"one at a time\",\"argv\":[\"/bin/true\"]}";

struct client {
	struct http *http;
	struct zpilot *pilot;
	int64_t sent_us;
	int64_t left;
	int64_t warm;
	bool done;
	struct samples times;
};

static void submit(struct client *c);

static void on_result(int status, const char *body, size_t len, void *arg)
{
	struct client *c = arg;
	char state[32];

	http_expect("waiting for a job", status, body, len);
	http_json_str(body, len, "state", state, sizeof(state));
	if (strcmp(state, "finished") != 0)
		errx(1, "a job ended as %s", state);
	if (c->warm)
		c->warm--;
	else
		samples_add(&c->times, clock_mono_us() - c->sent_us);
	submit(c);
}

static void on_submitted(int status, const char *body, size_t len, void *arg)
{
	struct client *c = arg;
	char path[64];

	http_expect("submitting", status, body, len);
	snprintf(path, sizeof(path), "/api/v1/jobs/%lld?wait=30",
		 http_json_int(body, len, "first"));
	http_send(c->http, "GET", path, NULL, 0, on_result, c);
}

static void submit(struct client *c)
{
	if (c->left-- <= 0) {
		c->done = true;
		return;
	}
	c->sent_us = clock_mono_us();
	http_send(c->http, "POST", "/api/v1/jobs", job, sizeof(job) - 1,
		  on_submitted, c);
}

static void on_joined(void *arg)
{
	struct client *c = arg;

	zpilot_go(c->pilot);
	submit(c);
}

static void on_ended(int64_t n, void *arg)
{
	(void)n;
	(void)arg;
}

int main(int argc, char **argv)
{
	const char *url = NULL, *token_file = NULL, *join_file = NULL;
	int64_t count = 1000;
	struct event_base *base = event_base_new();
	struct client c = { .warm = WARM_UP };
	struct zpilot_plan plan = { .offer = "",
				    .slots = 1,
				    .on_ended = on_ended,
				    .on_joined = on_joined,
				    .arg = &c };
	char *token, *join;

	bench_options(argc, argv,
		      (const struct bench_option[]){
			      { "url", &url, NULL },
			      { "token-file", &token_file, NULL },
			      { "join-token-file", &join_file, NULL },
			      { "count", NULL, &count },
			      { NULL, NULL, NULL } });
	token = bench_token(token_file);
	join = bench_token(join_file);
	c.left = count + WARM_UP;
	c.http = http_new(base, url, token);
	plan.url = url;
	plan.join_token = join;
	c.pilot = zpilot_new(base, &plan);
	while (!c.done)
		event_base_loop(base, EVLOOP_ONCE);
	samples_print(&c.times, "latency");
	samples_fini(&c.times);
	zpilot_leave(base, &c.pilot, 1);
	http_free(c.http);
	event_base_free(base);
	free(token);
	free(join);
	return 0;
}
