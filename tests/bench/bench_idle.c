/* Pilots that find nothing to do: they register, claim, and stay parked until
 * the program is ended. */
#include <stdlib.h>
#include <event2/event.h>
#include <sys/resource.h>

#include "lib/arena.h"
#include "tests/bench/bench.h"
#include "tests/bench/zpilot.h"

/* More at once would be refused. */
#define JOINING_MAX 100

static void on_joined(void *arg)
{
	(*(int64_t *)arg)++;
}

static void on_ended(int64_t n, void *arg)
{
	(void)n;
	(void)arg;
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	const char *join_file = NULL;
	int64_t pilots = 10000, joined = 0, went = 0;
	struct zpilot_plan plan = { .offer = "",
				    .slots = 4,
				    .on_joined = on_joined,
				    .on_ended = on_ended,
				    .arg = &joined };
	static const struct timeval pause = { 0, 50000 };
	struct rlimit files;
	struct zpilot **z;
	char *join;

	bench_options(argc, argv,
		      (const struct bench_option[]){
			      { "url", &plan.url, NULL },
			      { "join-token-file", &join_file, NULL },
			      { "pilots", NULL, &pilots },
			      { NULL, NULL, NULL } });
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	join = bench_token(join_file);
	plan.join_token = join;
	z = xcalloc((size_t)pilots, sizeof(struct zpilot *));
	for (int64_t i = 0; i < pilots; i++) {
		z[i] = zpilot_new(base, &plan);
		while (joined <= i - JOINING_MAX)
			event_base_loop(base, EVLOOP_ONCE);
	}
	while (joined < pilots)
		event_base_loop(base, EVLOOP_ONCE);
	/* A crowd that came at once would be told to come again. */
	for (; went < pilots; went++) {
		if (went % JOINING_MAX == 0) {
			event_base_loopexit(base, &pause);
			event_base_dispatch(base);
		}
		zpilot_go(z[went]);
	}
	event_base_dispatch(base);
	return 1;
}
