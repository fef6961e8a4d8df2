/* Clocks that do not go back, and dates for people. */
#include "lib/clock.h"

#include <time.h>
#include "tests/unit/unit.h"

static void waiting_time_never_goes_back(void)
{
	int64_t last_us = clock_mono_us(), last_ms = clock_mono_ms();
	int back = 0;

	for (int i = 0; i < 100000; i++) {
		int64_t us = clock_mono_us(), ms = clock_mono_ms();

		back += us < last_us || ms < last_ms;
		last_us = us;
		last_ms = ms;
	}
	CHECK_INT_EQ(back, 0);
}

static void the_clocks_agree_on_their_units(void)
{
	int64_t before = clock_mono_us() / 1000, ms = clock_mono_ms();

	CHECK_TRUE(ms >= before);
	CHECK_TRUE(clock_mono_us() / 1000 >= ms);
	/* time() may lag by a tick. */
	CHECK_TRUE(clock_wall_ms() / 1000 >= (int64_t)time(NULL));
}

static void dates_are_written_in_utc(void)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1000, "1969-12-31T23:59:59.000Z" },
		{ -1001, "1969-12-31T23:59:58.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 1795332098123, "2026-11-22T07:21:38.123Z" },
		{ 2147483648000, "2038-01-19T03:14:08.000Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
		{ 253402300800000, "10000-01-01T00:00:00.000Z" },
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < UNIT_N(rows); i++) {
		buf_reset(&b);
		clock_format_utc(&b, rows[i].ms);
		CHECK_STR_EQ(buf_str(&b), rows[i].text);
	}
	buf_fini(&b);
}

static void the_ends_of_the_range_are_dates_too(void)
{
	struct buf b = BUF_INIT;

	clock_format_utc(&b, INT64_MAX);
	CHECK_STR_EQ(buf_str(&b), "292278994-08-17T07:12:55.807Z");
	buf_reset(&b);
	clock_format_utc(&b, INT64_MIN);
	CHECK_CONTAINS(buf_str(&b), "-05-16T16:47:04.192Z");
	buf_fini(&b);
}

static const struct unit_test tests[] = {
	{ "waiting time never goes back", waiting_time_never_goes_back },
	{ "the clocks agree on their units", the_clocks_agree_on_their_units },
	{ "dates are written in UTC", dates_are_written_in_utc },
	{ "the ends of the range are dates too",
	  the_ends_of_the_range_are_dates_too },
};

int main(void)
{
	return unit_main("clock", tests, UNIT_N(tests));
}
