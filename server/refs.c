/* Reads references to jobs and pilots: numbers, ranges, UUIDs. */
#include "server/refs.h"

#include <stdlib.h>
#include <string.h>
#include "lib/id.h"
#include "lib/units.h"

/* Digits at the front of *s, up to ID_NUMBER_MAX. */
static bool take_number(const char **s, int64_t *out)
{
	int64_t v = 0;
	const char *p = *s;

	while (*p >= '0' && *p <= '9') {
		v = v * 10 + (*p++ - '0');
		if (v > ID_NUMBER_MAX)
			return false;
	}
	if (p == *s || v == 0)
		return false;
	*s = p;
	*out = v;
	return true;
}

static int by_lo(const void *a, const void *b)
{
	const struct refs_range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static void merge(struct refs *r)
{
	size_t n = 0;

	qsort(r->range, r->n, sizeof(*r->range), by_lo);
	for (size_t i = 0; i < r->n; i++) {
		struct refs_range *last = n == 0 ? NULL : &r->range[n - 1];

		if (last == NULL || r->range[i].lo > last->hi + 1)
			r->range[n++] = r->range[i];
		else if (r->range[i].hi > last->hi)
			last->hi = r->range[i].hi;
	}
	r->n = n;
	r->n_numbers = 0;
	for (size_t i = 0; i < n; i++)
		r->n_numbers += r->range[i].hi - r->range[i].lo + 1;
}

bool refs_parse(struct arena *a, const char *what, const char *s,
		struct refs *out, struct err *e)
{
	const char *p = s;
	size_t cap = 1;

	for (const char *c = s; *c != '\0'; c++)
		cap += *c == ',';
	out->range = ARENA_ARRAY(a, struct refs_range, cap);
	out->n = 0;
	for (;;) {
		struct refs_range *r = &out->range[out->n];

		if (!take_number(&p, &r->lo))
			break;
		r->hi = r->lo;
		if (*p == '-' && (p++, !take_number(&p, &r->hi)))
			break;
		if (r->hi < r->lo)
			return err_set(e, ERR_BAD_REQUEST,
				       "\"%s\" has the "
				       "range %lld-%lld, which ends before it "
				       "begins",
				       what, (long long)r->lo,
				       (long long)r->hi);
		out->n++;
		if (*p == '\0') {
			merge(out);
			if (out->n_numbers <= REFS_NUMBERS_MAX)
				return true;
			return err_set(e, ERR_BAD_REQUEST,
				       "\"%s\" names "
				       "%lld numbers: at most %d go into one "
				       "call",
				       what, (long long)out->n_numbers,
				       REFS_NUMBERS_MAX);
		}
		if (*p++ != ',')
			break;
	}
	return err_set(e, ERR_BAD_REQUEST,
		       "\"%s\" must be numbers and "
		       "ranges like 3-9,12, not \"%.100s\"",
		       what, s);
}

bool refs_span(struct arena *a, int64_t first, int64_t count, struct refs *out,
	       struct err *e)
{
	if (first < 1 || first > ID_NUMBER_MAX || count < 1 ||
	    count > ID_NUMBER_MAX - first + 1)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"first\" and \"count\" must be at least 1");
	out->range = ARENA_NEW(a, struct refs_range);
	out->range->lo = first;
	out->range->hi = first + count - 1;
	out->n = 1;
	out->n_numbers = count;
	return true;
}

bool refs_one(const char *what, const char *s, int64_t *number,
	      const char **uuid, struct err *e)
{
	const char *p = s;

	*uuid = NULL;
	if (take_number(&p, number) && *p == '\0')
		return true;
	if (id_uuid_valid(s) && id_uuid_number(s, number) && *number > 0) {
		*uuid = s;
		return true;
	}
	return err_set(e, ERR_NOT_FOUND,
		       "there is no %s \"%.100s\": it is "
		       "named by its number or its UUID",
		       what, s);
}
