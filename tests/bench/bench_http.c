/*
 * The limit of HTTP alone: the same server answering /healthz, one request at
 * a time and from several connections.
 */
#include <event2/event.h>

#include "lib/clock.h"
#include "tests/bench/bench.h"
#include "tests/bench/http.h"

struct client {
	struct http *http;
	int64_t sent_us;
	int64_t *left;
	struct samples *times;
};

static void on_answer(int status, const char *body, size_t len, void *arg);

static void ask(struct client *c)
{
	if ((*c->left)-- <= 0)
		return;
	c->sent_us = clock_mono_us();
	http_send(c->http, "GET", "/healthz", NULL, 0, on_answer, c);
}

static void on_answer(int status, const char *body, size_t len, void *arg)
{
	struct client *c = arg;

	http_expect("/healthz", status, body, len);
	samples_add(c->times, clock_mono_us() - c->sent_us);
	ask(c);
}

/* Answers a second. */
static double run(const char *url, int64_t count, int n, struct samples *times)
{
	struct event_base *base = event_base_new();
	struct client clients[64] = { 0 };
	int64_t left = count, start;

	for (int i = 0; i < n; i++)
		clients[i] = (struct client){ http_new(base, url, NULL), 0,
					      &left, times };
	start = clock_mono_us();
	for (int i = 0; i < n; i++)
		ask(&clients[i]);
	while (times->n < (size_t)count)
		event_base_loop(base, EVLOOP_ONCE);
	start = clock_mono_us() - start;
	for (int i = 0; i < n; i++)
		http_free(clients[i].http);
	event_base_free(base);
	return (double)count * 1e6 / (double)start;
}

int main(int argc, char **argv)
{
	const char *url = NULL;
	int64_t count = 20000;
	struct samples alone = { 0 }, many = { 0 };

	bench_options(argc, argv,
		      (const struct bench_option[]){ { "url", &url, NULL },
						     { "count", NULL, &count },
						     { NULL, NULL, NULL } });
	run(url, count / 4, 1, &alone);
	samples_print(&alone, "http");
	bench_print("http_per_s", run(url, count, 8, &many));
	samples_fini(&alone);
	samples_fini(&many);
	return 0;
}
