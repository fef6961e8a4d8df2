/* Reads and writes durations and sizes with their units, in whole numbers. */
#include "lib/units.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	int64_t factor;
};

#define KI INT64_C(1024)

/* clang-format off */
/* Milliseconds; seconds are read with the same table. */
static const struct unit times[] = {
	{ "ms", 1 },
	{ "s", 1000 }, { "sec", 1000 }, { "second", 1000 }, { "seconds", 1000 },
	{ "m", 60000 }, { "min", 60000 }, { "minute", 60000 },
	{ "minutes", 60000 },
	{ "h", 3600000 }, { "hour", 3600000 }, { "hours", 3600000 },
	{ "d", 86400000 }, { "day", 86400000 }, { "days", 86400000 },
	{ "w", 604800000 }, { "week", 604800000 }, { "weeks", 604800000 },
};

static const struct unit sizes[] = {
	{ "", 1 }, { "B", 1 },
	{ "kB", 1000 }, { "MB", 1000000 }, { "GB", 1000000000 },
	{ "TB", INT64_C(1000000000000) },
	{ "KiB", KI }, { "MiB", KI * KI }, { "GiB", KI * KI * KI },
	{ "TiB", KI * KI * KI * KI },
	{ "K", KI }, { "M", KI * KI }, { "G", KI * KI * KI },
	{ "T", KI * KI * KI * KI },
};
/* clang-format on */

#define N(array) (sizeof(array) / sizeof((array)[0]))

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

/* Digits at *s, moved behind them. False without any, or (*overflow) when
 * their value is no int64_t. */
static bool read_digits(const char **s, int64_t *out, bool *overflow)
{
	const char *p = *s;
	int64_t v = 0;

	*overflow = false;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, *p - '0', &v)) {
			*overflow = true;
			return false;
		}
	}
	if (p == *s)
		return false;
	*s = p;
	*out = v;
	return true;
}

/* The unit that s consists of, blanks behind it left out. */
static const struct unit *find_unit(const struct unit *units, size_t n,
				    const char *s)
{
	size_t len = strlen(s);

	while (len > 0 && is_blank(s[len - 1]))
		len--;
	for (size_t i = 0; i < n; i++) {
		if (strlen(units[i].name) == len &&
		    strncasecmp(units[i].name, s, len) == 0)
			return &units[i];
	}
	return NULL;
}

struct reading {
	const char *what; /* "duration" */
	const char *advice;
	const struct unit *units;
	size_t n_units;
	const char *none; /* the unit of a plain number */
	int64_t divisor;  /* of the factors */
};

static const struct reading seconds = {
	.what = "duration",
	.advice = "write a whole number and one of s, m, h, d, w, "
		  "as in \"90 s\"",
	.units = times + 1,
	.n_units = N(times) - 1,
	.none = "s",
	.divisor = 1000,
};

static const struct reading milliseconds = {
	.what = "duration",
	.advice = "write a whole number and one of ms, s, m, h, d, w, "
		  "as in \"90 s\"",
	.units = times,
	.n_units = N(times),
	.none = "s",
	.divisor = 1,
};

static const struct reading bytes_reading = {
	.what = "size",
	.advice = "write a whole number and one of B, kB, MB, GB, TB, KiB, "
		  "MiB, GiB, TiB, as in \"2 GiB\"",
	.units = sizes,
	.n_units = N(sizes),
	.none = "B",
	.divisor = 1,
};

static bool parse(const struct reading *r, const char *s, int64_t *out,
		  struct err *e)
{
	const struct unit *unit;
	const char *p = skip_blanks(s);
	bool overflow;
	int64_t v;

	if (!read_digits(&p, &v, &overflow)) {
		if (overflow)
			return err_set(e, ERR_BAD_REQUEST,
				       "%s \"%.80s\" is too large", r->what, s);
		return err_set(e, ERR_BAD_REQUEST, "\"%.80s\" is no %s: %s", s,
			       r->what, r->advice);
	}
	p = skip_blanks(p);
	unit = find_unit(r->units, r->n_units, *p != '\0' ? p : r->none);
	if (unit == NULL)
		return err_set(e, ERR_BAD_REQUEST, "\"%.80s\" is no %s: %s", s,
			       r->what, r->advice);
	if (__builtin_mul_overflow(v, unit->factor / r->divisor, &v))
		return err_set(e, ERR_BAD_REQUEST, "%s \"%.80s\" is too large",
			       r->what, s);
	*out = v;
	return true;
}

bool units_parse_seconds(const char *s, int64_t *out, struct err *e)
{
	return parse(&seconds, s, out, e);
}

bool units_parse_ms(const char *s, int64_t *out, struct err *e)
{
	return parse(&milliseconds, s, out, e);
}

bool units_parse_bytes(const char *s, int64_t *out, struct err *e)
{
	return parse(&bytes_reading, s, out, e);
}

bool units_parse_i64(const char *s, int64_t min, int64_t max, int64_t *out,
		     struct err *e)
{
	bool negative = s[0] == '-', overflow = false;
	const char *p = s + negative;
	int64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		int digit = negative ? -(*p - '0') : *p - '0';

		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, digit, &v)) {
			overflow = true;
			v = 0;
		}
	}
	if (*p != '\0' || p == s + negative)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%.80s\" is no whole number", s);
	if (overflow || v < min || v > max)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%.80s\" is not between %lld and %lld", s,
			       (long long)min, (long long)max);
	*out = v;
	return true;
}

/* Writing */

#define MINUTE 60000
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

void units_format_ms(struct buf *b, int64_t ms)
{
	/* Also right for INT64_MIN, whose negative is no int64_t. */
	uint64_t t = ms < 0 ? UINT64_C(0) - (uint64_t)ms : (uint64_t)ms;

	if (ms < 0)
		buf_addc(b, '-');
	if (t >= DAY)
		buf_addf(b, "%" PRIu64 " d %" PRIu64 " h", t / DAY,
			 t % DAY / HOUR);
	else if (t >= HOUR)
		buf_addf(b, "%" PRIu64 " h %02" PRIu64 " m", t / HOUR,
			 t % HOUR / MINUTE);
	else if (t >= MINUTE)
		buf_addf(b, "%" PRIu64 " m %02" PRIu64 " s", t / MINUTE,
			 t % MINUTE / 1000);
	else if (t >= 1000 && t % 1000 >= 100)
		buf_addf(b, "%" PRIu64 ".%" PRIu64 " s", t / 1000,
			 t % 1000 / 100);
	else if (t >= 1000 || t == 0)
		buf_addf(b, "%" PRIu64 " s", t / 1000);
	else
		buf_addf(b, "%" PRIu64 " ms", t);
}

void units_format_bytes(struct buf *b, int64_t bytes)
{
	static const char *const names[] = { "B",   "KiB", "MiB", "GiB",
					     "TiB", "PiB", "EiB" };
	uint64_t v =
		bytes < 0 ? UINT64_C(0) - (uint64_t)bytes : (uint64_t)bytes;
	unsigned tenths, shift = 0;

	if (bytes < 0)
		buf_addc(b, '-');
	while (v >> shift >= 1024)
		shift += 10;
	/* The ten bits below the point are enough for one digit. */
	tenths = shift > 0 ? (unsigned)(v >> (shift - 10) & 1023) * 10 / 1024
			   : 0;
	buf_addf(b, "%" PRIu64, v >> shift);
	if (tenths > 0)
		buf_addf(b, ".%u", tenths);
	buf_addf(b, " %s", names[shift / 10]);
}
