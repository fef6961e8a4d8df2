/* The table of runs, by id and by state: see runs.h. */
#include "pilot/runs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define BUCKETS 4096
#define GONE_MAX 4096

struct runs {
	struct run_list list[RUN_STATES];
	int count[RUN_STATES];
	struct run *bucket[BUCKETS];
};

/* Run ids are random: their first digits are as good as a hash. */
static struct run **bucket_of(struct runs *t, const char *id)
{
	unsigned h = 0;

	for (int i = 0; i < 6 && id[i]; i++)
		h = h * 31 + (unsigned char)id[i];
	return &t->bucket[h % BUCKETS];
}

struct runs *runs_new(void)
{
	struct runs *t = xcalloc(1, sizeof(*t));

	for (int i = 0; i < RUN_STATES; i++)
		TAILQ_INIT(&t->list[i]);
	return t;
}

static void run_free(struct run *r)
{
	arena_free(r->arena);
	free(r->end);
	free(r);
}

static void forget(struct runs *t, struct run *r)
{
	struct run **at = bucket_of(t, r->id);

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	TAILQ_REMOVE(&t->list[r->state], r, entry);
	t->count[r->state]--;
	run_free(r);
}

void runs_free(struct runs *t)
{
	if (!t)
		return;
	for (int i = 0; i < RUN_STATES; i++)
		while (!TAILQ_EMPTY(&t->list[i]))
			forget(t, TAILQ_FIRST(&t->list[i]));
	free(t);
}

struct run *runs_find(struct runs *t, const char *id)
{
	struct run *r = *bucket_of(t, id);

	while (r && strcmp(r->id, id) != 0)
		r = r->next;
	return r;
}

struct run *runs_add(struct runs *t, const char *id, int64_t job)
{
	struct run **at = bucket_of(t, id);
	struct run *r = xcalloc(1, sizeof(*r));

	if (strlen(id) >= sizeof(r->id))
		BUG("a run id of %zu characters", strlen(id));
	memcpy(r->id, id, strlen(id) + 1);
	r->job = job;
	r->cores = 1;
	r->state = RUN_READY;
	for (int i = 0; i < 2; i++) {
		r->out[i].run = r;
		r->out[i].which = i ? PAYLOAD_STDERR : PAYLOAD_STDOUT;
	}
	r->next = *at;
	*at = r;
	TAILQ_INSERT_TAIL(&t->list[RUN_READY], r, entry);
	t->count[RUN_READY]++;
	return r;
}

void runs_move(struct runs *t, struct run *r, enum run_state state)
{
	TAILQ_REMOVE(&t->list[r->state], r, entry);
	t->count[r->state]--;
	r->state = state;
	TAILQ_INSERT_TAIL(&t->list[state], r, entry);
	t->count[state]++;
	while (t->count[RUN_GONE] > GONE_MAX)
		forget(t, TAILQ_FIRST(&t->list[RUN_GONE]));
}

struct run_list *runs_list(struct runs *t, enum run_state state)
{
	return &t->list[state];
}

int runs_count(const struct runs *t, enum run_state state)
{
	return t->count[state];
}

int runs_open(const struct runs *t)
{
	return t->count[RUN_FETCHING] + t->count[RUN_READY] +
	       t->count[RUN_ACTIVE];
}

int runs_live(const struct runs *t)
{
	return runs_open(t) + t->count[RUN_UPLOADING] + t->count[RUN_ENDED];
}
