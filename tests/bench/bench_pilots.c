/*
 * Zero-work pilots: jobs a second through claim, start and end, each step
 * committed; with --submit 1 the submissions run at the same time and belong
 * to it, otherwise the queue has been filled before.
 */
#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <event2/event.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "tests/bench/bench.h"
#include "tests/bench/submitter.h"
#include "tests/bench/zpilot.h"

struct run {
	int64_t n_joined;
	int64_t n_ended;
	int64_t ended_us; /* when the last end so far was acknowledged */
};

static void on_joined(void *arg)
{
	struct run *r = arg;

	r->n_joined++;
}

static void on_ended(int64_t n, void *arg)
{
	struct run *r = arg;

	r->n_ended += n;
	r->ended_us = clock_mono_us();
}

static void on_submitted(void *arg)
{
	(void)arg;
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	const char *token_file = NULL, *join_file = NULL;
	int64_t pilots = 16, slots = 64, submit = 0, start;
	struct run r = { 0 };
	struct zpilot_plan plan = { .offer = "",
				    .on_joined = on_joined,
				    .on_ended = on_ended,
				    .arg = &r };
	struct submitter_plan bulk = { .count = 100000,
				       .list = 100,
				       .in_flight = 4,
				       .on_done = on_submitted };
	struct submitter *s = NULL;
	struct zpilot **z;
	char *token, *join;

	bench_options(argc, argv,
		      (const struct bench_option[]){
			      { "url", &bulk.url, NULL },
			      { "token-file", &token_file, NULL },
			      { "join-token-file", &join_file, NULL },
			      { "count", NULL, &bulk.count },
			      { "pilots", NULL, &pilots },
			      { "slots", NULL, &slots },
			      { "submit", NULL, &submit },
			      { "list", NULL, &bulk.list },
			      { "in-flight", NULL, &bulk.in_flight },
			      { NULL, NULL, NULL } });
	token = bench_token(token_file);
	join = bench_token(join_file);
	bulk.token = token;
	plan.url = bulk.url;
	plan.join_token = join;
	plan.slots = (int)slots;
	z = xcalloc((size_t)pilots, sizeof(struct zpilot *));
	for (int64_t i = 0; i < pilots; i++)
		z[i] = zpilot_new(base, &plan);
	while (r.n_joined < pilots)
		event_base_loop(base, EVLOOP_ONCE);
	start = clock_mono_us();
	if (submit) {
		s = submitter_new(base, &bulk);
		bulk.count = submitter_count(s);
		submitter_go(s);
	}
	for (int64_t i = 0; i < pilots; i++)
		zpilot_go(z[i]);
	while (r.n_ended < bulk.count)
		event_base_loop(base, EVLOOP_ONCE);
	bench_print("ended", (double)r.n_ended);
	bench_print("ended_per_s",
		    (double)r.n_ended * 1e6 / (double)(r.ended_us - start));
	zpilot_leave(base, z, (size_t)pilots);
	if (s)
		submitter_free(s);
	free(z);
	event_base_free(base);
	free(token);
	free(join);
	return 0;
}
