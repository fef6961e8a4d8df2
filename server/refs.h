/*
 * References as requests write them: a job or pilot by number or UUID, and
 * lists of numbers and ranges ("3-9,12").
 */
#ifndef SORTIE_SERVER_REFS_H
#define SORTIE_SERVER_REFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/arena.h"
#include "lib/err.h"

#define REFS_NUMBERS_MAX 10000

struct refs_range {
	int64_t lo, hi; /* both included, 1 <= lo <= hi */
};

/* Ranges in rising order that do not touch; n_numbers is how many numbers
 * they hold. */
struct refs {
	struct refs_range *range;
	size_t n;
	int64_t n_numbers;
};

/* what: "jobs" or "pilots", for messages. More than REFS_NUMBERS_MAX numbers
 * are refused. */
bool refs_parse(struct arena *a, const char *what, const char *s,
		struct refs *out, struct err *e) MUST_CHECK;
/* One range of count numbers; any count. */
bool refs_span(struct arena *a, int64_t first, int64_t count, struct refs *out,
	       struct err *e) MUST_CHECK;
/* A number or a UUID. *uuid is s, or NULL when it is a number; the object must
 * then have that UUID. what: "job", "pilot". A text that can name no object is
 * ERR_NOT_FOUND. */
bool refs_one(const char *what, const char *s, int64_t *number,
	      const char **uuid, struct err *e) MUST_CHECK;

#endif
