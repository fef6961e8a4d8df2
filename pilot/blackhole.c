/* Stops a host that breaks every run from eating the queue. */
#include "pilot/blackhole.h"

int64_t blackhole_note(struct blackhole *b, uint64_t kind, bool failed,
		       int64_t wall_ms, int64_t now_ms)
{
	int64_t max_ms;

	if (!failed || wall_ms >= BLACKHOLE_FAST_MS) {
		*b = (struct blackhole){ 0 };
		return 0;
	}
	if (b->in_a_row++ == 0)
		b->kind = kind;
	b->mixed |= kind != b->kind;
	b->since_pause++;
	/* Runs that were under way when a pause began do not lengthen it. After
	 * one, a single fast failure is enough when kinds are mixed. */
	if (blackhole_paused(b, now_ms) || b->in_a_row < BLACKHOLE_RUNS ||
	    (!b->mixed && b->since_pause < BLACKHOLE_RUNS))
		return 0;
	max_ms =
		b->mixed ? BLACKHOLE_PAUSE_MAX_MS : BLACKHOLE_PAUSE_ONE_KIND_MS;
	b->pause_ms = b->pause_ms ? b->pause_ms * 2 : BLACKHOLE_PAUSE_MS;
	if (b->pause_ms > max_ms)
		b->pause_ms = max_ms;
	b->until_ms = now_ms + b->pause_ms;
	b->since_pause = 0;
	return b->pause_ms;
}

bool blackhole_paused(const struct blackhole *b, int64_t now_ms)
{
	return now_ms < b->until_ms;
}
