/*
 * Which jobs a command is about, as people name them: numbers and ranges
 * (`3-9,12`), UUIDs, keys (`key:NAME`, or a bare word that is nothing else),
 * and `@last`, what the last submission of this user to this server made.
 */
#ifndef SORTIE_CLIENTS_REFS_H
#define SORTIE_CLIENTS_REFS_H

#include "clients/cli.h"

struct refs_range {
	int64_t first, last;
};

/* In the order given; ranges may overlap until refs_sort. */
struct refs {
	struct refs_range *ranges;
	size_t n, cap;
};

/* "3-9,12": numbers and ranges only. False with *e for anything else. Memory
 * belongs to the arena. */
bool refs_add_text(struct arena *a, struct refs *refs, const char *text,
		   struct err *e) MUST_CHECK;
/* Only digits, '-' and ',' and at least one digit in front. */
bool refs_is_numbers(const char *text) MUST_CHECK;
void refs_add(struct arena *a, struct refs *refs, int64_t first, int64_t last);
/* Sorted, without overlaps, neighbours joined. */
void refs_sort(struct refs *refs);
int64_t refs_count(const struct refs *refs);
/* "3-9,12" */
void refs_write(struct buf *b, const struct refs *refs);
/* The server takes at most 10,000 numbers a call: takes that many from *rest
 * (which shrinks) into *part. False when nothing was left. */
bool refs_take(struct arena *a, struct refs *rest, struct refs *part,
	       int64_t max);

/* All words of a command line; asks the server about UUIDs and keys. */
bool refs_resolve(struct cli *c, char *const *words, size_t n, struct refs *out,
		  struct err *e) MUST_CHECK;
/* Exactly one job. */
bool refs_resolve_one(struct cli *c, const char *word, int64_t *number,
		      struct err *e) MUST_CHECK;

/* Tells why one of these failed; words that name nothing are wrong use. */
int refs_fail(struct cli *c, const struct err *e);

#endif
