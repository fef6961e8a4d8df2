/*
 * Reads "meta:" lines out of output that may be gigabytes of anything.  The
 * common case, a line that is none, costs one memchr for its newline.
 */
#include <stdlib.h>
#include <string.h>
#include "lib/arena.h"
#include "pilot/meta.h"

static const char prefix[] = "meta:";
#define PREFIX_LEN (sizeof(prefix) - 1)

static void list_add(struct meta_list *l, const char *p, size_t len)
{
	while (len > 0 &&
	       (p[len - 1] == ' ' || p[len - 1] == '\t' || p[len - 1] == '\r'))
		len--;
	while (len > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		len--;
	}
	/* The report is text: a line with a NUL in it says nothing. */
	if (len == 0 || memchr(p, '\0', len))
		return;
	if (l->n == META_LINES_MAX) {
		l->more = true;
		return;
	}
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 8;
		l->line = xrealloc(l->line, l->cap * sizeof(*l->line));
	}
	l->line[l->n++] = xstrndup(p, len);
}

static void line_done(struct meta_scan *s, struct meta_list *l)
{
	if (s->state == META_TEXT)
		list_add(l, s->text, s->len);
	s->state = META_PREFIX;
	s->matched = 0;
	s->len = 0;
}

static void text_add(struct meta_scan *s, const char *p, size_t len)
{
	if (!s->text)
		s->text = xmalloc(META_LINE_MAX);
	if (len > META_LINE_MAX - s->len)
		len = META_LINE_MAX - s->len;
	memcpy(s->text + s->len, p, len);
	s->len += len;
}

/* Returns how many bytes of a line's beginning it took. */
static size_t match_prefix(struct meta_scan *s, const char *p, size_t len)
{
	size_t i = 0;

	while (i < len && s->matched < PREFIX_LEN &&
	       p[i] == prefix[s->matched]) {
		i++;
		s->matched++;
	}
	if (s->matched == PREFIX_LEN)
		s->state = META_TEXT;
	else if (i < len)
		s->state = META_SKIP;
	return i;
}

void meta_feed(struct meta_scan *s, struct meta_list *l, const char *p,
	       size_t len)
{
	const char *end = p + len;

	while (p < end) {
		const char *nl;

		if (s->state == META_PREFIX) {
			p += match_prefix(s, p, (size_t)(end - p));
			if (p == end)
				return;
		}
		nl = memchr(p, '\n', (size_t)(end - p));
		if (s->state == META_TEXT)
			text_add(s, p, (size_t)((nl ? nl : end) - p));
		if (!nl)
			return;
		line_done(s, l);
		p = nl + 1;
	}
}

void meta_end(struct meta_scan *s, struct meta_list *l)
{
	line_done(s, l);
	free(s->text);
	s->text = NULL;
}

void meta_list_fini(struct meta_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->line[i]);
	free(l->line);
	memset(l, 0, sizeof(*l));
}
