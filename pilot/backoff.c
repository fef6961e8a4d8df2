/* Waiting longer after each failure, with jitter: see backoff.h. */
#include "pilot/backoff.h"

#include "lib/id.h"

void backoff_init(struct backoff *b, int64_t max_ms)
{
	b->max_ms = max_ms < BACKOFF_MIN_MS ? BACKOFF_MIN_MS : max_ms;
	b->step_ms = 0;
	b->until_ms = 0;
}

void backoff_ok(struct backoff *b)
{
	b->step_ms = 0;
	b->until_ms = 0;
}

int64_t backoff_fail(struct backoff *b, int64_t now_ms, int64_t at_least_ms)
{
	int64_t wait;

	b->step_ms = b->step_ms ? b->step_ms * 2 : BACKOFF_MIN_MS;
	if (b->step_ms > b->max_ms)
		b->step_ms = b->max_ms;
	/* Between a half and the whole of the step. */
	wait = b->step_ms / 2;
	wait += (int64_t)(id_random_u64() % (uint64_t)(b->step_ms - wait + 1));
	if (at_least_ms > b->max_ms)
		at_least_ms = b->max_ms;
	if (wait < at_least_ms)
		wait = at_least_ms;
	b->until_ms = now_ms + wait;
	return wait;
}

bool backoff_ready(const struct backoff *b, int64_t now_ms)
{
	return now_ms >= b->until_ms;
}
