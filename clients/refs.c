/* Numbers and ranges of jobs: reading, joining, cutting and writing them. */
#include "clients/refs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "lib/id.h"

void refs_add(struct arena *a, struct refs *refs, int64_t first, int64_t last)
{
	if (refs->n > 0 && refs->ranges[refs->n - 1].last == first - 1) {
		refs->ranges[refs->n - 1].last = last;
		return;
	}
	if (refs->n == refs->cap) {
		size_t cap = refs->cap ? refs->cap * 2 : 16;
		struct refs_range *more =
			ARENA_ARRAY(a, struct refs_range, cap);

		if (refs->n > 0)
			memcpy(more, refs->ranges, refs->n * sizeof(*more));
		refs->ranges = more;
		refs->cap = cap;
	}
	refs->ranges[refs->n++] = (struct refs_range){ first, last };
}

bool refs_is_numbers(const char *text)
{
	return text[0] >= '0' && text[0] <= '9' &&
	       text[strspn(text, "0123456789-,")] == '\0';
}

static bool read_number(const char **p, int64_t *out)
{
	int64_t n = 0;

	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		n = n * 10 + (**p - '0');
		if (n > ID_NUMBER_MAX)
			return false;
	}
	*out = n;
	return n > 0;
}

bool refs_add_text(struct arena *a, struct refs *refs, const char *text,
		   struct err *e)
{
	const char *p = text;

	for (;;) {
		int64_t first, last;

		if (!read_number(&p, &first))
			break;
		last = first;
		if (*p == '-') {
			p++;
			if (!read_number(&p, &last))
				break;
		}
		if (last < first)
			return err_set(e, ERR_BAD_REQUEST,
				       "\"%s\": the range "
				       "%" PRId64 "-%" PRId64 " ends before "
				       "it begins",
				       text, first, last);
		refs_add(a, refs, first, last);
		if (*p == '\0')
			return true;
		if (*p++ != ',')
			break;
	}
	return err_set(e, ERR_BAD_REQUEST,
		       "\"%s\" is not made of numbers and "
		       "ranges like 3-9,12",
		       text);
}

static int by_first(const void *x, const void *y)
{
	const struct refs_range *a = x, *b = y;

	return a->first < b->first ? -1 : a->first > b->first;
}

void refs_sort(struct refs *refs)
{
	size_t kept = 0;

	if (refs->n == 0)
		return;
	qsort(refs->ranges, refs->n, sizeof(*refs->ranges), by_first);
	for (size_t i = 1; i < refs->n; i++) {
		struct refs_range *last = &refs->ranges[kept];
		const struct refs_range *next = &refs->ranges[i];

		if (next->first > last->last + 1)
			refs->ranges[++kept] = *next;
		else if (next->last > last->last)
			last->last = next->last;
	}
	refs->n = kept + 1;
}

int64_t refs_count(const struct refs *refs)
{
	int64_t n = 0;

	for (size_t i = 0; i < refs->n; i++)
		n += refs->ranges[i].last - refs->ranges[i].first + 1;
	return n;
}

void refs_write(struct buf *b, const struct refs *refs)
{
	for (size_t i = 0; i < refs->n; i++) {
		const struct refs_range *r = &refs->ranges[i];

		if (i > 0)
			buf_addc(b, ',');
		buf_add_i64(b, r->first);
		if (r->last > r->first) {
			buf_addc(b, '-');
			buf_add_i64(b, r->last);
		}
	}
}

bool refs_take(struct arena *a, struct refs *rest, struct refs *part,
	       int64_t max)
{
	*part = (struct refs){ 0 };
	while (rest->n > 0 && max > 0) {
		struct refs_range *r = &rest->ranges[0];
		int64_t n = r->last - r->first + 1;

		if (n > max)
			n = max;
		refs_add(a, part, r->first, r->first + n - 1);
		max -= n;
		r->first += n;
		if (r->first > r->last) {
			rest->ranges++;
			rest->n--;
			rest->cap--;
		}
	}
	return part->n > 0;
}
