/* What this process remembers of pilots' calls: so a claim that would be in
 * vain is not asked. */
#include "server/park_int.h"

#include <stdlib.h>
#include "lib/clock.h"

#define SLOTS 8192
/* After this time a pilot is heard again: its lease and its orders are the
 * database's. */
#define FRESH_MS 1000

/* Of the pilots that share a slot the last that asked has it. */
struct seen {
	int64_t pilot;
	int32_t profile;     /* 0: not told yet */
	int64_t request;     /* the highest that has come */
	int64_t asked;       /* the highest that the database was asked */
	int64_t heard_ms;    /* when the database last told of it; 0: ask it */
	uint64_t heard_seq;  /* the wake counter when that was asked */
	uint64_t called_seq; /* when the pilot was last woken by itself */
};

struct seen *seen_new(void)
{
	return xcalloc(SLOTS, sizeof(struct seen));
}

void seen_free(struct seen *table)
{
	free(table);
}

static struct seen *slot_of(struct seen *table, int64_t pilot)
{
	return &table[(uint64_t)pilot % SLOTS];
}

static struct seen *find(struct seen *table, int64_t pilot)
{
	struct seen *s = slot_of(table, pilot);

	return s->pilot == pilot ? s : NULL;
}

static struct seen *take(struct seen *table, int64_t pilot)
{
	struct seen *s = slot_of(table, pilot);

	if (s->pilot != pilot)
		*s = (struct seen){ .pilot = pilot };
	return s;
}

bool seen_come(struct seen *table, const struct talk *t)
{
	struct seen *s = take(table, t->pilot);

	if (t->request < s->request)
		return false;
	s->request = t->request;
	return true;
}

void seen_asked(struct seen *table, const struct talk *t)
{
	struct seen *s = take(table, t->pilot);

	if (s->asked < t->request)
		s->asked = t->request;
}

void seen_told(struct seen *table, const struct talk *t)
{
	struct seen *s = find(table, t->pilot);

	if (s == NULL)
		return;
	if (t->profile != 0)
		s->profile = t->profile;
	/* Orders are told again until they are obeyed. */
	s->heard_ms = t->orders.len > 0 ? 0 : clock_mono_ms();
	s->heard_seq = t->sent_seq;
}

void seen_called(struct seen *table, int64_t pilot, uint64_t seq)
{
	struct seen *s = find(table, pilot);

	if (s != NULL)
		s->called_seq = seq;
}

bool seen_called_since(struct seen *table, const struct talk *t)
{
	const struct seen *s = find(table, t->pilot);

	return s != NULL && s->called_seq > t->sent_seq;
}

int32_t seen_profile(struct seen *table, int64_t pilot)
{
	const struct seen *s = find(table, pilot);

	return s != NULL ? s->profile : 0;
}

bool seen_fresh(struct seen *table, const struct talk *t)
{
	const struct seen *s = find(table, t->pilot);

	return s != NULL && s->profile != 0 && t->request > s->asked &&
	       s->heard_ms != 0 && s->called_seq <= s->heard_seq &&
	       clock_mono_ms() - s->heard_ms < FRESH_MS;
}
