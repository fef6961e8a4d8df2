/*
 * Finds the lines of a payload's output that begin with "meta:" while the
 * output goes by in pieces, so that nothing has to be kept or read twice.
 */
#ifndef SORTIE_PILOT_META_H
#define SORTIE_PILOT_META_H

#include <stdbool.h>
#include <stddef.h>

#define META_LINES_MAX 1000
#define META_LINE_MAX 4096

/* What both streams of one payload have said; zeroed = empty. */
struct meta_list {
	char **line;
	size_t n, cap;
	bool more; /* lines beyond META_LINES_MAX came */
};

/* One stream's reader; zeroed = at the start of a line. */
struct meta_scan {
	enum { META_PREFIX, META_TEXT, META_SKIP } state;
	size_t matched; /* bytes of "meta:" seen so far */
	char *text;     /* of the line being read, or NULL */
	size_t len;
};

void meta_feed(struct meta_scan *s, struct meta_list *l, const char *p,
	       size_t len);
/* The stream has ended: a last line without a newline counts. */
void meta_end(struct meta_scan *s, struct meta_list *l);
void meta_list_fini(struct meta_list *l);

#endif
