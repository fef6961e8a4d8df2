/* Stops a host that breaks every run from eating the queue. */
#include "pilot/blackhole.h"

int64_t blackhole_note(struct blackhole *b, bool failed, int64_t wall_ms,
		       int64_t now_ms)
{
	if (!failed || wall_ms >= BLACKHOLE_FAST_MS) {
		*b = (struct blackhole){ 0 };
		return 0;
	}
	b->in_a_row++;
	/* After a pause one more fast failure is enough for the next one, but
	 * runs that were under way when the pause began do not lengthen it. */
	if (b->in_a_row < BLACKHOLE_RUNS || blackhole_paused(b, now_ms))
		return 0;
	b->pause_ms = b->pause_ms ? b->pause_ms * 2 : BLACKHOLE_PAUSE_MS;
	if (b->pause_ms > BLACKHOLE_PAUSE_MAX_MS)
		b->pause_ms = BLACKHOLE_PAUSE_MAX_MS;
	b->until_ms = now_ms + b->pause_ms;
	return b->pause_ms;
}

bool blackhole_paused(const struct blackhole *b, int64_t now_ms)
{
	return now_ms < b->until_ms;
}
