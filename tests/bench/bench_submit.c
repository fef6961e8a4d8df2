/* Bulk submission through HTTP by one client, until all is committed. */
#include <stdbool.h>
#include <stdlib.h>
#include <event2/event.h>

#include "lib/clock.h"
#include "tests/bench/bench.h"
#include "tests/bench/submitter.h"

static void on_done(void *arg)
{
	*(bool *)arg = true;
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	const char *token_file = NULL;
	int64_t parts = 0, patient = 0, keys = KEYS_NONE, start;
	bool done = false;
	struct submitter_plan plan = { .count = 100000,
				       .list = 1000,
				       .in_flight = 2,
				       .on_done = on_done,
				       .arg = &done };
	struct submitter *s;
	char *token;

	bench_options(argc, argv,
		      (const struct bench_option[]){
			      { "url", &plan.url, NULL },
			      { "token-file", &token_file, NULL },
			      { "count", NULL, &plan.count },
			      { "list", NULL, &plan.list },
			      { "in-flight", NULL, &plan.in_flight },
			      { "parts", NULL, &parts },
			      { "keys", NULL, &keys },
			      { "patient", NULL, &patient },
			      { NULL, NULL, NULL } });
	token = bench_token(token_file);
	plan.token = token;
	plan.parts = parts;
	plan.patient = patient;
	plan.keys = (int)keys;
	s = submitter_new(base, &plan);
	start = clock_mono_us();
	submitter_go(s);
	while (!done)
		event_base_loop(base, EVLOOP_ONCE);
	bench_print("submitted_per_s",
		    (double)submitter_count(s) * 1e6 /
			    (double)(clock_mono_us() - start));
	bench_print("refused", (double)submitter_refused(s));
	bench_print("slowest_s", (double)submitter_slowest(s) / 1e6);
	bench_print("job_bytes", submitter_job_bytes(s));
	submitter_free(s);
	event_base_free(base);
	free(token);
	return 0;
}
