/*
 * Reads the keys of a job that hold one value: text, numbers, durations,
 * sizes, moments.
 */
#include "lib/jobspec_value.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "lib/clock.h"
#include "lib/units.h"
#include "lib/utf8.h"

/* The end of year 9999, beyond which the form of a date ends. */
#define TIME_MAX_S INT64_C(253402300799)

bool jobspec_fail(struct jobspec_reader *r, const char *fmt, ...)
{
	char sentence[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	return err_set(r->e, ERR_BAD_REQUEST, "%s%sthe key \"%s\" %s", r->where,
		       *r->where ? ": " : "", r->key, sentence);
}

bool jobspec_fail_type(struct jobspec_reader *r, const char *expected,
		       struct json_object *v)
{
	return jobspec_fail(r, "must be %s, not %s", expected,
			    json_type_name(json_type(v)));
}

static void *field(struct jobspec_reader *r, const struct jobspec_rule *rule)
{
	return (char *)r->out + rule->offset;
}

static bool store_text(struct jobspec_reader *r,
		       const struct jobspec_rule *rule, struct json_object *v)
{
	if (rule->offset != JOBSPEC_NO_FIELD)
		*(const char **)field(r, rule) = json_str(v);
	buf_json_strn(&r->b, json_str(v), json_str_len(v));
	return true;
}

bool jobspec_read_text(struct jobspec_reader *r,
		       const struct jobspec_rule *rule, struct json_object *v)
{
	size_t len;

	if (json_type(v) != JSON_STR)
		return jobspec_fail_type(r, "a string", v);
	len = json_str_len(v);
	if (len < (size_t)rule->min)
		return jobspec_fail(r, "must not be empty");
	if (len > (size_t)rule->max)
		return jobspec_fail(
			r, "has %zu bytes, at most %" PRId64 " are allowed",
			len, rule->max);
	return store_text(r, rule, v);
}

bool jobspec_variable_ok(const char *s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz_0123456789";
	size_t len = strspn(s, letters);

	return len > 0 && s[len] == '\0' && (*s < '0' || *s > '9');
}

bool jobspec_name_ok(const char *s)
{
	size_t len = strlen(s), n;
	bool ok;

	if (len < 1 || len > JOBSPEC_NAME_MAX || s[0] == ' ' ||
	    s[len - 1] == ' ')
		return false;
	for (const char *p = s; *p; p += n) {
		unsigned char c = (unsigned char)*p;

		n = utf8_next(p, (size_t)(s + len - p), &ok);
		if (!ok || c < 0x20 || c == 0x7f || c == '/')
			return false;
		/* U+0080 to U+009F are control characters as well. */
		if (c == 0xc2 && (unsigned char)p[1] < 0xa0)
			return false;
	}
	return true;
}

bool jobspec_read_name(struct jobspec_reader *r,
		       const struct jobspec_rule *rule, struct json_object *v)
{
	if (json_type(v) != JSON_STR)
		return jobspec_fail_type(r, "a string", v);
	if ((rule->min || json_str_len(v)) && !jobspec_name_ok(json_str(v)))
		return jobspec_fail(r,
				    "must be a name: 1 to %d bytes without "
				    "control characters, \"/\" and blanks at "
				    "its ends",
				    JOBSPEC_NAME_MAX);
	return store_text(r, rule, v);
}

/* A key must not look like the other ways of naming jobs. */
bool jobspec_read_key(struct jobspec_reader *r, const struct jobspec_rule *rule,
		      struct json_object *v)
{
	const char *s;

	if (!jobspec_read_name(r, rule, v))
		return false;
	s = json_str(v);
	if (s[0] == '@' || s[strspn(s, "0123456789,-")] == '\0')
		return jobspec_fail(r,
				    "must not look like a job's number, a "
				    "range or @last: put a letter into "
				    "\"%s\"",
				    s);
	return true;
}

bool jobspec_read_path(struct jobspec_reader *r,
		       const struct jobspec_rule *rule, struct json_object *v)
{
	if (json_type(v) == JSON_STR && json_str(v)[0] != '/')
		return jobspec_fail(r,
				    "must be an absolute path, not \"%.200s"
				    "\"",
				    json_str(v));
	return jobspec_read_text(r, rule, v);
}

typedef bool parse_fn(const char *s, int64_t *out, struct err *e);

/* A number, or text that parse understands. */
static bool read_number(struct jobspec_reader *r,
			const struct jobspec_rule *rule, struct json_object *v,
			parse_fn *parse, const char *expected, int64_t *out)
{
	if (json_type(v) == JSON_INT)
		*out = json_int(v);
	else if (json_type(v) != JSON_STR)
		return jobspec_fail_type(r, expected, v);
	else if (!parse(json_str(v), out, r->e))
		return err_prefix(r->e, "%s%sthe key \"%s\"", r->where,
				  *r->where ? ": " : "", r->key);
	if (*out < rule->min || *out > rule->max)
		return jobspec_fail(r,
				    "must be from %" PRId64 " to %" PRId64
				    ", not %" PRId64,
				    rule->min, rule->max, *out);
	buf_add_i64(&r->b, *out);
	return true;
}

static bool parse_i64(const char *s, int64_t *out, struct err *e)
{
	return units_parse_i64(s, INT64_MIN, INT64_MAX, out, e);
}

static bool read_i64(struct jobspec_reader *r, const struct jobspec_rule *rule,
		     struct json_object *v, int64_t *out)
{
	return read_number(r, rule, v, parse_i64, "a whole number", out);
}

bool jobspec_read_i32(struct jobspec_reader *r, const struct jobspec_rule *rule,
		      struct json_object *v)
{
	int64_t n = 0;

	if (!read_i64(r, rule, v, &n))
		return false;
	*(int32_t *)field(r, rule) = (int32_t)n;
	return true;
}

bool jobspec_read_i64(struct jobspec_reader *r, const struct jobspec_rule *rule,
		      struct json_object *v)
{
	return read_i64(r, rule, v, field(r, rule));
}

bool jobspec_read_seconds(struct jobspec_reader *r,
			  const struct jobspec_rule *rule,
			  struct json_object *v)
{
	int64_t seconds = 0;

	if (!read_number(r, rule, v, units_parse_seconds,
			 "a whole number of seconds or text such as \"90 s\"",
			 &seconds))
		return false;
	if (rule->offset != JOBSPEC_NO_FIELD)
		*(int64_t *)field(r, rule) = seconds;
	return true;
}

bool jobspec_read_bytes(struct jobspec_reader *r,
			const struct jobspec_rule *rule, struct json_object *v)
{
	return read_number(r, rule, v, units_parse_bytes,
			   "a whole number of bytes or text such as \"2 GiB\"",
			   field(r, rule));
}

bool jobspec_read_state(struct jobspec_reader *r,
			const struct jobspec_rule *rule, struct json_object *v)
{
	const char *s;

	(void)rule;
	if (json_type(v) != JSON_STR)
		return jobspec_fail_type(r, "a string", v);
	s = json_str(v);
	r->out->held = !strcmp(s, "held") || !strcmp(s, "template");
	return r->out->held || !strcmp(s, "defined") ||
	       jobspec_fail(r,
			    "must be \"defined\", \"held\" or \"template\""
			    ", not \"%.100s\"",
			    s);
}

bool jobspec_read_disconnect(struct jobspec_reader *r,
			     const struct jobspec_rule *rule,
			     struct json_object *v)
{
	const char *s;

	if (json_type(v) != JSON_STR)
		return jobspec_fail_type(r, "a string", v);
	s = json_str(v);
	*(bool *)field(r, rule) = !strcmp(s, "stop");
	if (strcmp(s, "stop") != 0 && strcmp(s, "continue") != 0)
		return jobspec_fail(r,
				    "must be \"continue\" or \"stop\", not "
				    "\"%.100s\"",
				    s);
	buf_json_str(&r->b, s);
	return true;
}

/* n digits at *s, moved behind them. */
static bool digits(const char **s, int n, int *out)
{
	*out = 0;
	for (; n; n--, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		*out = *out * 10 + (**s - '0');
	}
	return true;
}

static bool literal(const char **s, const char *any_of)
{
	if (!**s || !strchr(any_of, **s))
		return false;
	(*s)++;
	return true;
}

/* Milliseconds of the fraction; further digits are dropped. */
static bool fraction(const char **s, int *ms)
{
	int scale = 100;

	*ms = 0;
	if (!literal(s, "."))
		return true;
	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; (*s)++, scale /= 10)
		*ms += (**s - '0') * scale;
	return true;
}

static bool zone(const char **s, int *offset_s)
{
	bool west = **s == '-';
	int h, m;

	*offset_s = 0;
	if (literal(s, "Zz"))
		return true;
	if (!literal(s, "+-") || !digits(s, 2, &h) || !literal(s, ":") ||
	    !digits(s, 2, &m) || h > 23 || m > 59)
		return false;
	*offset_s = (h * 60 + m) * (west ? -60 : 60);
	return true;
}

/* RFC 3339, as in 2026-11-22T07:21:38.123+01:00. */
static bool parse_date(const char *s, int64_t *ms)
{
	struct tm tm = { 0 }, same;
	int year, month, milli, offset_s;
	time_t t;

	if (!digits(&s, 4, &year) || !literal(&s, "-") ||
	    !digits(&s, 2, &month) || !literal(&s, "-") ||
	    !digits(&s, 2, &tm.tm_mday) || !literal(&s, "Tt ") ||
	    !digits(&s, 2, &tm.tm_hour) || !literal(&s, ":") ||
	    !digits(&s, 2, &tm.tm_min) || !literal(&s, ":") ||
	    !digits(&s, 2, &tm.tm_sec) || !fraction(&s, &milli) ||
	    !zone(&s, &offset_s) || *s)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	same = tm;
	t = timegm(&tm);
	/* A day or an hour that does not exist would have been carried on. */
	if (tm.tm_mday != same.tm_mday || tm.tm_mon != same.tm_mon ||
	    tm.tm_hour != same.tm_hour || tm.tm_min != same.tm_min)
		return false;
	*ms = ((int64_t)t - offset_s) * 1000 + milli;
	return true;
}

bool jobspec_read_time(struct jobspec_reader *r,
		       const struct jobspec_rule *rule, struct json_object *v)
{
	int64_t *ms = field(r, rule), seconds = 0;
	enum json_type t = json_type(v);
	struct err ignored;

	if (t == JSON_INT)
		seconds = json_int(v);
	else if (t != JSON_STR)
		return jobspec_fail_type(r,
					 "a date and time or seconds since "
					 "1970",
					 v);
	else if (!units_parse_i64(json_str(v), 0, TIME_MAX_S, &seconds,
				  &ignored) &&
		 !parse_date(json_str(v), ms))
		return jobspec_fail(r,
				    "must be a date and time such as "
				    "\"2026-11-22T07:00:00Z\" or seconds "
				    "since 1970, not \"%.100s\"",
				    json_str(v));
	if (seconds)
		*ms = seconds < 0 || seconds > TIME_MAX_S ? -1 : seconds * 1000;
	if (*ms < 0)
		return jobspec_fail(r, "must be from year 1970 to 9999");
	buf_addc(&r->b, '"');
	clock_format_utc(&r->b, *ms);
	buf_addc(&r->b, '"');
	return true;
}

bool jobspec_parse_mode(const char *s, unsigned *out)
{
	*out = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '7')
			return false;
		*out = *out * 8 + (unsigned)(*s - '0');
		if (*out > 0777)
			return false;
	}
	return true;
}

bool jobspec_read_umask(struct jobspec_reader *r,
			const struct jobspec_rule *rule, struct json_object *v)
{
	unsigned mode;

	(void)rule;
	if (json_type(v) != JSON_STR)
		return jobspec_fail_type(r,
					 "text of octal digits such as "
					 "\"022\"",
					 v);
	if (!jobspec_parse_mode(json_str(v), &mode))
		return jobspec_fail(r,
				    "must be octal digits from \"0\" to "
				    "\"777\", not \"%.100s\"",
				    json_str(v));
	buf_addf(&r->b, "\"%04o\"", mode);
	return true;
}

bool jobspec_read_any(struct jobspec_reader *r, const struct jobspec_rule *rule,
		      struct json_object *v)
{
	size_t before = r->b.len;

	json_write_sorted(&r->b, v);
	if (r->b.len - before > (size_t)rule->max)
		return jobspec_fail(r,
				    "has %zu bytes of JSON, at most %" PRId64
				    " are allowed",
				    r->b.len - before, rule->max);
	return true;
}
