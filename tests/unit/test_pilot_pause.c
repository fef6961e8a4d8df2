/* When a pilot waits: after failures of servers and of its own runs. */
#include "pilot/backoff.h"
#include "pilot/blackhole.h"
#include "tests/unit/unit.h"

static void waits_double_up_to_the_bound(void)
{
	struct backoff b;
	int64_t step = BACKOFF_MIN_MS, wait;

	backoff_init(&b, 5000);
	CHECK_TRUE(backoff_ready(&b, 0));
	for (int i = 0; i < 20; i++) {
		wait = backoff_fail(&b, 1000, 0);
		CHECK_TRUE(wait >= step / 2 && wait <= step);
		CHECK_FALSE(backoff_ready(&b, 1000 + wait - 1));
		CHECK_TRUE(backoff_ready(&b, 1000 + wait));
		step = step * 2 > 5000 ? 5000 : step * 2;
	}
}

static void waits_are_not_all_the_same(void)
{
	struct backoff b;
	int64_t first, n = 0;

	backoff_init(&b, 5000);
	first = backoff_fail(&b, 0, 0);
	for (int i = 0; i < 50; i++) {
		backoff_init(&b, 5000);
		if (backoff_fail(&b, 0, 0) != first)
			n++;
	}
	CHECK_TRUE(n > 0);
}

static void success_begins_anew(void)
{
	struct backoff b;

	backoff_init(&b, 5000);
	for (int i = 0; i < 10; i++)
		backoff_fail(&b, 0, 0);
	backoff_ok(&b);
	CHECK_TRUE(backoff_ready(&b, 0));
	CHECK_TRUE(backoff_fail(&b, 0, 0) <= BACKOFF_MIN_MS);
}

static void the_server_may_ask_for_more_up_to_the_bound(void)
{
	struct backoff b;

	backoff_init(&b, 5000);
	CHECK_INT_EQ(backoff_fail(&b, 0, 3000), 3000);
	CHECK_INT_EQ(backoff_fail(&b, 0, 60000), 5000);
}

/* Work of two kinds by turns. */
static int64_t fail_fast(struct blackhole *b, int n, int64_t now_ms)
{
	int64_t pause = 0;

	for (int i = 0; i < n; i++)
		pause = blackhole_note(b, (uint64_t)b->in_a_row % 2, true, 5,
				       now_ms);
	return pause;
}

static void a_few_failures_do_not_pause(void)
{
	struct blackhole b = { 0 };

	CHECK_INT_EQ(fail_fast(&b, BLACKHOLE_RUNS - 1, 0), 0);
	CHECK_FALSE(blackhole_paused(&b, 0));
}

static void fast_failures_in_a_row_pause_for_longer_and_longer(void)
{
	struct blackhole b = { 0 };
	int64_t now = 0;

	CHECK_INT_EQ(fail_fast(&b, BLACKHOLE_RUNS, now), BLACKHOLE_PAUSE_MS);
	CHECK_TRUE(blackhole_paused(&b, now));
	/* What was under way when the pause began does not lengthen it. */
	CHECK_INT_EQ(fail_fast(&b, 3, now), 0);
	now += BLACKHOLE_PAUSE_MS;
	CHECK_FALSE(blackhole_paused(&b, now));
	CHECK_INT_EQ(fail_fast(&b, 1, now), 2 * BLACKHOLE_PAUSE_MS);
	for (int i = 0; i < 20; i++) {
		now += BLACKHOLE_PAUSE_MAX_MS;
		fail_fast(&b, 1, now);
	}
	CHECK_INT_EQ(b.pause_ms, BLACKHOLE_PAUSE_MAX_MS);
}

static void failures_of_one_kind_of_work_pause_shortly(void)
{
	struct blackhole b = { 0 };
	int64_t now = 0, pause = 0;

	for (int i = 0; i < 20 * BLACKHOLE_RUNS; i++) {
		pause = blackhole_note(&b, 7, true, 5, now);
		CHECK_INT_EQ(pause > 0,
			     i % BLACKHOLE_RUNS == BLACKHOLE_RUNS - 1);
		now += pause;
	}
	CHECK_INT_EQ(pause, BLACKHOLE_PAUSE_ONE_KIND_MS);
	/* Now another kind fails, too. */
	CHECK_INT_EQ(blackhole_note(&b, 8, true, 5, now),
		     2 * BLACKHOLE_PAUSE_ONE_KIND_MS);
}

static void a_run_that_does_well_or_lasts_clears_it(void)
{
	struct blackhole b = { 0 };

	fail_fast(&b, BLACKHOLE_RUNS, 0);
	CHECK_INT_EQ(blackhole_note(&b, 1, false, 1, 10), 0);
	CHECK_FALSE(blackhole_paused(&b, 10));
	CHECK_INT_EQ(fail_fast(&b, BLACKHOLE_RUNS - 1, 10), 0);
	CHECK_INT_EQ(blackhole_note(&b, 1, true, BLACKHOLE_FAST_MS, 10), 0);
	CHECK_INT_EQ(fail_fast(&b, BLACKHOLE_RUNS - 1, 10), 0);
}

static const struct unit_test tests[] = {
	{ "waits double up to the bound", waits_double_up_to_the_bound },
	{ "waits are not all the same", waits_are_not_all_the_same },
	{ "success begins anew", success_begins_anew },
	{ "the server may ask for more, up to the bound",
	  the_server_may_ask_for_more_up_to_the_bound },
	{ "a few failures do not pause", a_few_failures_do_not_pause },
	{ "fast failures in a row pause for longer and longer",
	  fast_failures_in_a_row_pause_for_longer_and_longer },
	{ "failures of one kind of work pause shortly",
	  failures_of_one_kind_of_work_pause_shortly },
	{ "a run that does well or lasts clears it",
	  a_run_that_does_well_or_lasts_clears_it },
};

int main(void)
{
	return unit_main("pilot_pause", tests, UNIT_N(tests));
}
