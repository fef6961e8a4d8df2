/*
 * Counts calls by one time for each owner: when the calls so far would be over
 * if they came at the owner's rate.  It may run ahead of the clock by a second.
 */
#include "server/rate.h"

#include <stdlib.h>
#include <sys/queue.h>
#include "lib/arena.h"

#define SECOND_US INT64_C(1000000)
#define BUCKETS 256 /* owners are numbered from 1 on, so they spread */

struct rate {
	int32_t owner;
	int64_t until_us;
	SLIST_ENTRY(rate) chain;
};

/* Owners without a limit never get in here, so it is as large as the list of
 * those that have one. */
struct rates {
	SLIST_HEAD(, rate) bucket[BUCKETS];
};

struct rates *rates_new(void)
{
	struct rates *r = xcalloc(1, sizeof(*r));

	for (int i = 0; i < BUCKETS; i++)
		SLIST_INIT(&r->bucket[i]);
	return r;
}

void rates_free(struct rates *r)
{
	struct rate *x;

	for (int i = 0; r != NULL && i < BUCKETS; i++) {
		while ((x = SLIST_FIRST(&r->bucket[i])) != NULL) {
			SLIST_REMOVE_HEAD(&r->bucket[i], chain);
			free(x);
		}
	}
	free(r);
}

static struct rate *find(struct rates *r, int32_t owner)
{
	unsigned i = (unsigned)owner % BUCKETS;
	struct rate *x;

	SLIST_FOREACH (x, &r->bucket[i], chain) {
		if (x->owner == owner)
			return x;
	}
	x = xcalloc(1, sizeof(*x));
	x->owner = owner;
	SLIST_INSERT_HEAD(&r->bucket[i], x, chain);
	return x;
}

bool rate_take(struct rates *r, int32_t owner, int64_t per_s, int64_t now_us)
{
	struct rate *x = find(r, owner);
	int64_t each_us = SECOND_US / per_s;

	if (each_us == 0)
		each_us = 1;
	/* An owner whose rate was raised does not pay for the old one. */
	if (x->until_us < now_us || x->until_us > now_us + 2 * SECOND_US)
		x->until_us = now_us;
	if (x->until_us + each_us > now_us + SECOND_US)
		return false;
	x->until_us += each_us;
	return true;
}
