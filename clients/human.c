/* Times, ages and amounts as people read them, in one place so that every
 * table says them alike. */
#include "clients/human.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bool digits(const char **p, int n, int *out)
{
	*out = 0;
	for (int i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		*out = *out * 10 + (**p - '0');
	}
	return true;
}

static bool field(const char **p, char before, int n, int *out)
{
	if (before != '\0' && *(*p)++ != before)
		return false;
	return digits(p, n, out);
}

bool human_time_parse(const char *text, int64_t *ms)
{
	struct tm tm = { 0 };
	const char *p = text;
	int milli = 0;

	if (!field(&p, '\0', 4, &tm.tm_year) ||
	    !field(&p, '-', 2, &tm.tm_mon) || !field(&p, '-', 2, &tm.tm_mday) ||
	    !field(&p, 'T', 2, &tm.tm_hour) || !field(&p, ':', 2, &tm.tm_min) ||
	    !field(&p, ':', 2, &tm.tm_sec))
		return false;
	if (*p == '.' && !field(&p, '.', 3, &milli))
		return false;
	if (strcmp(p, "Z") != 0)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ms = (int64_t)timegm(&tm) * 1000 + milli;
	return true;
}

void human_time(struct buf *b, int64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;
	char text[32];

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		buf_addc(b, '?');
	else
		buf_adds(b, text);
}

void human_age(struct buf *b, int64_t ms)
{
	static const struct {
		int64_t below_s, unit_s;
		char name;
	} steps[] = {
		{ 120, 1, 's' },
		{ 7200, 60, 'm' },
		{ 172800, 3600, 'h' },
		{ INT64_MAX, 86400, 'd' },
	};
	int64_t s = ms < 0 ? 0 : ms / 1000;
	size_t i = 0;

	while (s >= steps[i].below_s)
		i++;
	buf_addf(b, "%" PRId64 " %c", s / steps[i].unit_s, steps[i].name);
}

void human_count(struct buf *b, int64_t n)
{
	char text[32];
	size_t len;

	snprintf(text, sizeof(text), "%" PRId64, n < 0 ? -n : n);
	if (n < 0)
		buf_addc(b, '-');
	len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf_addc(b, ',');
		buf_addc(b, text[i]);
	}
}

void human_plural(struct buf *b, int64_t n, const char *noun)
{
	human_count(b, n);
	buf_addf(b, " %s%s", noun, n == 1 ? "" : "s");
}
