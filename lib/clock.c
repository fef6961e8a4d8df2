/* Reads the machine's clocks and writes times for people. */
#include "lib/clock.h"

#include <time.h>
#include "lib/log.h"

static int64_t read_clock(clockid_t id, int64_t per_second)
{
	struct timespec t;

	if (clock_gettime(id, &t) != 0)
		BUG("clock %d cannot be read", (int)id);
	return (int64_t)t.tv_sec * per_second +
	       t.tv_nsec / (1000000000 / per_second);
}

int64_t clock_mono_ms(void)
{
	return read_clock(CLOCK_MONOTONIC, 1000);
}

int64_t clock_mono_us(void)
{
	return read_clock(CLOCK_MONOTONIC, 1000000);
}

int64_t clock_wall_ms(void)
{
	return read_clock(CLOCK_REALTIME, 1000);
}

void clock_format_utc(struct buf *b, int64_t wall_ms)
{
	int64_t ms = wall_ms % 1000;
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;

	/* Before 1970 the milliseconds still count forward. */
	if (ms < 0) {
		ms += 1000;
		s--;
	}
	if (gmtime_r(&s, &tm) == NULL)
		BUG("%lld ms is in no year", (long long)wall_ms);
	buf_addf(b, "%04ld-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900L,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (int)ms);
}
