/*
 * How often each owner calls: so many times a second, and as many at once as
 * in one second.  What one server counts, another does not know.
 */
#ifndef SORTIE_SERVER_RATE_H
#define SORTIE_SERVER_RATE_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/err.h"

struct rates;

struct rates *rates_new(void);
void rates_free(struct rates *r);
/* True: the call may go on and is counted. Else it is one too many; there is
 * room within a second. per_s: at least 1. */
bool rate_take(struct rates *r, int32_t owner, int64_t per_s,
	       int64_t now_us) MUST_CHECK;

#endif
