/*
 * Claims when there is much to choose from: jobs in many requirement classes
 * wait, and pilots of many profiles ask at once.  --fill 1 queues the jobs and
 * leaves, otherwise pilots claim until --count runs were granted and ended.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <event2/event.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "tests/bench/bench.h"
#include "tests/bench/http.h"
#include "tests/bench/zpilot.h"

#define POOLS 7

struct fill {
	struct http *http;
	int64_t classes, sites, sent, count;
	struct buf body;
	bool done;
};

struct run {
	int64_t n_joined, n_ended;
};

static void on_filled(int status, const char *body, size_t len, void *arg);

/* One job in ten asks for a site, two for a pool, each class for its type. */
static void fill_class(struct fill *f)
{
	int64_t k = f->sent++;

	buf_reset(&f->body);
	buf_addf(&f->body,
		 "{\"name\":\"of class %lld\",\"argv\":[\"/bin/true\"],"
		 "\"jobtype\":\"t%lld\",\"priority\":%lld,\"replicas\":%lld",
		 (long long)k, (long long)k, (long long)(k % 5),
		 (long long)(f->count / f->classes));
	if (k % 10 == 5)
		buf_addf(&f->body, ",\"site\":\"s%lld\"",
			 (long long)(k % f->sites));
	if (k % 10 == 1 || k % 10 == 2)
		buf_addf(&f->body, ",\"pools\":[\"p%lld\"]",
			 (long long)(k % POOLS));
	buf_addc(&f->body, '}');
	http_send(f->http, "POST", "/api/v1/jobs", f->body.data, f->body.len,
		  on_filled, f);
}

static void on_filled(int status, const char *body, size_t len, void *arg)
{
	struct fill *f = arg;

	http_expect("filling the queue", status, body, len);
	if (f->sent < f->classes)
		fill_class(f);
	else
		f->done = true;
}

static void fill(struct event_base *base, const char *url, const char *token,
		 int64_t classes, int64_t sites, int64_t count)
{
	struct fill f = { .http = http_new(base, url, token),
			  .classes = classes,
			  .sites = sites,
			  .count = count };

	fill_class(&f);
	while (!f.done)
		event_base_loop(base, EVLOOP_ONCE);
	http_free(f.http);
	buf_fini(&f.body);
}

static void on_joined(void *arg)
{
	struct run *r = arg;

	r->n_joined++;
}

static void on_ended(int64_t n, void *arg)
{
	struct run *r = arg;

	r->n_ended += n;
}

static void drain(struct event_base *base, struct zpilot_plan *plan,
		  int64_t pilots, int64_t profiles, int64_t count)
{
	struct zpilot **z = xcalloc((size_t)pilots, sizeof(struct zpilot *));
	char **offers = xcalloc((size_t)pilots, sizeof(char *));
	struct samples claims = { 0 };
	struct run r = { 0 };
	int64_t start;

	plan->claims = &claims;
	plan->arg = &r;
	for (int64_t i = 0; i < pilots; i++) {
		int64_t p = i % profiles;

		offers[i] = xasprintf("\"site\":\"s%lld\",\"pools\":[\"p%lld\"]"
				      ",\"labels\":{\"rack\":\"r%lld\"},"
				      "\"jobtypes\":{\"refuse\":[\"r%lld\"]}",
				      (long long)p, (long long)(p % POOLS),
				      (long long)p, (long long)p);
		plan->offer = offers[i];
		z[i] = zpilot_new(base, plan);
	}
	while (r.n_joined < pilots)
		event_base_loop(base, EVLOOP_ONCE);
	start = clock_mono_us();
	for (int64_t i = 0; i < pilots; i++)
		zpilot_go(z[i]);
	while (r.n_ended < count)
		event_base_loop(base, EVLOOP_ONCE);
	bench_print("granted_per_s", (double)r.n_ended * 1e6 /
					     (double)(clock_mono_us() - start));
	samples_print(&claims, "claim");
	zpilot_leave(base, z, (size_t)pilots);
	for (int64_t i = 0; i < pilots; i++)
		free(offers[i]);
	samples_fini(&claims);
	free(offers);
	free(z);
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	const char *token_file = NULL, *join_file = NULL;
	int64_t classes = 500, profiles = 60, pilots = 60, slots = 4;
	int64_t count = 1000000, sites = 8, filling = 0;
	struct zpilot_plan plan = { .split = true,
				    .on_joined = on_joined,
				    .on_ended = on_ended };
	char *token, *join;

	bench_options(argc, argv,
		      (const struct bench_option[]){
			      { "url", &plan.url, NULL },
			      { "token-file", &token_file, NULL },
			      { "join-token-file", &join_file, NULL },
			      { "classes", NULL, &classes },
			      { "profiles", NULL, &profiles },
			      { "pilots", NULL, &pilots },
			      { "slots", NULL, &slots },
			      { "sites", NULL, &sites },
			      { "hold-ms", NULL, &plan.hold_ms },
			      { "count", NULL, &count },
			      { "fill", NULL, &filling },
			      { NULL, NULL, NULL } });
	if (classes < 1 || sites < 1 || profiles < 1 || pilots < 1)
		errx(2, "classes, sites, profiles and pilots are at least 1");
	token = bench_token(token_file);
	join = bench_token(join_file);
	plan.join_token = join;
	plan.slots = (int)slots;
	if (filling)
		fill(base, plan.url, token, classes, sites, count);
	else
		drain(base, &plan, pilots, profiles, count);
	event_base_free(base);
	free(token);
	free(join);
	return 0;
}
