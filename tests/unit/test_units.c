/* Durations and sizes as people write them. */
#include "lib/units.h"

#include "tests/unit/unit.h"

typedef bool parse_fn(const char *s, int64_t *out, struct err *e);

struct good {
	parse_fn *parse;
	const char *text;
	int64_t want;
};

static const struct good good[] = {
	{ units_parse_seconds, "0", 0 },
	{ units_parse_seconds, "90", 90 },
	{ units_parse_seconds, "90 s", 90 },
	{ units_parse_seconds, " 90\ts ", 90 },
	{ units_parse_seconds, "5m", 300 },
	{ units_parse_seconds, "5 min", 300 },
	{ units_parse_seconds, "2 H", 7200 },
	{ units_parse_seconds, "1 day", 86400 },
	{ units_parse_seconds, "2 weeks", 1209600 },
	{ units_parse_seconds, "007", 7 },
	{ units_parse_seconds, "9223372036854775", 9223372036854775 },
	{ units_parse_seconds, "9223372036854775807", INT64_MAX },
	{ units_parse_ms, "250 ms", 250 },
	{ units_parse_ms, "3", 3000 },
	{ units_parse_ms, "1 h", 3600000 },
	{ units_parse_bytes, "0", 0 },
	{ units_parse_bytes, "512 B", 512 },
	{ units_parse_bytes, "1 kB", 1000 },
	{ units_parse_bytes, "1 KiB", 1024 },
	{ units_parse_bytes, "500 MB", 500000000 },
	{ units_parse_bytes, "2 GiB", INT64_C(2147483648) },
	{ units_parse_bytes, "2G", INT64_C(2147483648) },
	{ units_parse_bytes, "4K", 4096 },
	{ units_parse_bytes, "3 TB", INT64_C(3000000000000) },
	{ units_parse_bytes, "1 TiB", INT64_C(1099511627776) },
	{ units_parse_bytes, "8388607 TiB", INT64_C(9223370937343148032) },
};

static void what_people_write_is_read(void)
{
	for (size_t i = 0; i < UNIT_N(good); i++) {
		struct err e = ERR_INIT;
		int64_t v = -1;

		CHECK_OK(good[i].parse(good[i].text, &v, &e), e);
		if (v != good[i].want)
			CHECK_STR_EQ(good[i].text, "");
		CHECK_INT_EQ(v, good[i].want);
	}
}

static const struct bad {
	parse_fn *parse;
	const char *text;
	const char *message;
} bad[] = {
	{ units_parse_seconds, "", "is no duration" },
	{ units_parse_seconds, " ", "is no duration" },
	{ units_parse_seconds, "s", "is no duration" },
	{ units_parse_seconds, "-1", "is no duration" },
	{ units_parse_seconds, "+1", "is no duration" },
	{ units_parse_seconds, "1.5 h", "is no duration" },
	{ units_parse_seconds, "1h30m", "is no duration" },
	{ units_parse_seconds, "5 ms", "is no duration" },
	{ units_parse_seconds, "5 GiB", "is no duration" },
	{ units_parse_seconds, "5 s\n", "is no duration" },
	{ units_parse_seconds, "9223372036854775808", "too large" },
	{ units_parse_seconds, "9223372036854775807 m", "too large" },
	{ units_parse_seconds, "99999999999999999999999999 s", "too large" },
	{ units_parse_ms, "9223372036854776", "too large" },
	{ units_parse_bytes, "", "is no size" },
	{ units_parse_bytes, "5 s", "is no size" },
	{ units_parse_bytes, "1 G B", "is no size" },
	{ units_parse_bytes, "0x10", "is no size" },
	{ units_parse_bytes, "8388608 TiB", "too large" },
};

static void the_rest_is_refused_without_effect(void)
{
	for (size_t i = 0; i < UNIT_N(bad); i++) {
		struct err e = ERR_INIT;
		int64_t v = 77;

		CHECK_FAILS(bad[i].parse(bad[i].text, &v, &e), e,
			    ERR_BAD_REQUEST, bad[i].message);
		CHECK_INT_EQ(v, 77);
	}
}

static void messages_quote_and_advise(void)
{
	struct err e = ERR_INIT;
	int64_t v;

	CHECK_FAILS(units_parse_seconds("soon", &v, &e), e, ERR_BAD_REQUEST,
		    "\"soon\" is no duration: write a whole number and one of "
		    "s, m, h, d, w, as in \"90 s\"");
}

static void whole_numbers_keep_their_bounds(void)
{
	static const char *const wrong[] = { "",   "-",   "+5",  " 5",  "5 ",
					     "5x", "0x5", "5.0", "--5", "1e3" };
	struct err e = ERR_INIT;
	int64_t v = 77;

	CHECK_OK(units_parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX,
				 &v, &e),
		 e);
	CHECK_INT_EQ(v, INT64_MIN);
	CHECK_OK(units_parse_i64("9223372036854775807", INT64_MIN, INT64_MAX,
				 &v, &e),
		 e);
	CHECK_INT_EQ(v, INT64_MAX);
	CHECK_OK(units_parse_i64("-0", 0, 0, &v, &e), e);
	CHECK_INT_EQ(v, 0);
	v = 77;
	CHECK_FAILS(units_parse_i64("9223372036854775808", INT64_MIN, INT64_MAX,
				    &v, &e),
		    e, ERR_BAD_REQUEST, "is not between");
	CHECK_FAILS(units_parse_i64("-9223372036854775809", INT64_MIN,
				    INT64_MAX, &v, &e),
		    e, ERR_BAD_REQUEST, "is not between");
	CHECK_FAILS(units_parse_i64("11", 1, 10, &v, &e), e, ERR_BAD_REQUEST,
		    "\"11\" is not between 1 and 10");
	CHECK_FAILS(units_parse_i64("0", 1, 10, &v, &e), e, ERR_BAD_REQUEST,
		    "is not between 1 and 10");
	CHECK_FAILS(units_parse_i64("99999999999999999999999x", 1, 10, &v, &e),
		    e, ERR_BAD_REQUEST, "is no whole number");
	for (size_t i = 0; i < UNIT_N(wrong); i++)
		CHECK_FAILS(units_parse_i64(wrong[i], 0, 100, &v, &e), e,
			    ERR_BAD_REQUEST, "is no whole number");
	CHECK_INT_EQ(v, 77);
}

/* clang-format off */
static const struct shown {
	int64_t v;
	const char *text;
} durations[] = {
	{ 0, "0 s" }, { 1, "1 ms" }, { 999, "999 ms" }, { 1000, "1 s" },
	{ 1099, "1 s" }, { 1500, "1.5 s" }, { 59999, "59.9 s" },
	{ 60000, "1 m 00 s" }, { 125000, "2 m 05 s" },
	{ 3599999, "59 m 59 s" }, { 3600000, "1 h 00 m" },
	{ 11400000, "3 h 10 m" }, { 86399999, "23 h 59 m" },
	{ 86400000, "1 d 0 h" }, { 352800000, "4 d 2 h" },
	{ -1500, "-1.5 s" },
	{ INT64_MAX, "106751991167 d 7 h" },
	{ INT64_MIN, "-106751991167 d 7 h" },
};

static const struct shown sizes[] = {
	{ 0, "0 B" }, { 512, "512 B" }, { 1023, "1023 B" },
	{ 1024, "1 KiB" }, { 1536, "1.5 KiB" }, { 1048575, "1023.9 KiB" },
	{ 1048576, "1 MiB" }, { INT64_C(2147483648), "2 GiB" },
	{ -2048, "-2 KiB" }, { INT64_MAX, "7.9 EiB" },
	{ INT64_MIN, "-8 EiB" },
};
/* clang-format on */

static void values_are_shown_for_people(void)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < UNIT_N(durations); i++) {
		buf_reset(&b);
		units_format_ms(&b, durations[i].v);
		CHECK_STR_EQ(buf_str(&b), durations[i].text);
	}
	for (size_t i = 0; i < UNIT_N(sizes); i++) {
		buf_reset(&b);
		units_format_bytes(&b, sizes[i].v);
		CHECK_STR_EQ(buf_str(&b), sizes[i].text);
	}
	buf_fini(&b);
}

static const struct unit_test tests[] = {
	{ "what people write is read", what_people_write_is_read },
	{ "the rest is refused without effect",
	  the_rest_is_refused_without_effect },
	{ "messages quote and advise", messages_quote_and_advise },
	{ "whole numbers keep their bounds", whole_numbers_keep_their_bounds },
	{ "values are shown for people", values_are_shown_for_people },
};

int main(void)
{
	return unit_main("units", tests, UNIT_N(tests));
}
