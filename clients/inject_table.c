/* The injector's files by path and by state: see inject_table.h. */
#include "clients/inject_table.h"

#include <stdlib.h>
#include <string.h>
#include "lib/arena.h"

#define FIRST_BUCKETS 1024

struct inject_table {
	struct inject_list list[INJECT_STATES];
	size_t count[INJECT_STATES];
	struct inject_file **bucket;
	size_t n_buckets, n; /* buckets: a power of two */
};

uint64_t inject_hash(const char *path)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *path != '\0'; path++)
		h = (h ^ (unsigned char)*path) * UINT64_C(1099511628211);
	return h ^ h >> 32;
}

static struct inject_file **bucket_of(struct inject_table *t, const char *path)
{
	return &t->bucket[inject_hash(path) & (t->n_buckets - 1)];
}

struct inject_table *inject_table_new(void)
{
	struct inject_table *t = xcalloc(1, sizeof(*t));

	for (int i = 0; i < INJECT_STATES; i++)
		TAILQ_INIT(&t->list[i]);
	t->n_buckets = FIRST_BUCKETS;
	t->bucket = xcalloc(t->n_buckets, sizeof(*t->bucket));
	return t;
}

void inject_table_free(struct inject_table *t)
{
	if (t == NULL)
		return;
	for (int i = 0; i < INJECT_STATES; i++)
		while (!TAILQ_EMPTY(&t->list[i]))
			inject_remove(t, TAILQ_FIRST(&t->list[i]));
	free(t->bucket);
	free(t);
}

static void grow(struct inject_table *t)
{
	struct inject_file **old = t->bucket;
	size_t n = t->n_buckets;

	t->n_buckets = n * 2;
	t->bucket = xcalloc(t->n_buckets, sizeof(*t->bucket));
	for (size_t i = 0; i < n; i++) {
		while (old[i] != NULL) {
			struct inject_file *f = old[i];
			struct inject_file **at = bucket_of(t, f->path);

			old[i] = f->next;
			f->next = *at;
			*at = f;
		}
	}
	free(old);
}

struct inject_file *inject_find(struct inject_table *t, const char *path)
{
	struct inject_file *f = *bucket_of(t, path);

	while (f != NULL && strcmp(f->path, path) != 0)
		f = f->next;
	return f;
}

struct inject_file *inject_add(struct inject_table *t, const char *path)
{
	struct inject_file *f = xcalloc(1, sizeof(*f));
	struct inject_file **at;

	if (t->n >= t->n_buckets)
		grow(t);
	f->path = xstrdup(path);
	at = bucket_of(t, path);
	f->next = *at;
	*at = f;
	t->n++;
	TAILQ_INSERT_TAIL(&t->list[INJECT_SETTLING], f, entry);
	t->count[INJECT_SETTLING]++;
	return f;
}

static void unlist(struct inject_table *t, struct inject_file *f)
{
	TAILQ_REMOVE(&t->list[f->state], f, entry);
	t->count[f->state]--;
}

void inject_remove(struct inject_table *t, struct inject_file *f)
{
	struct inject_file **at = bucket_of(t, f->path);

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	t->n--;
	unlist(t, f);
	free(f->path);
	free(f);
}

void inject_move(struct inject_table *t, struct inject_file *f,
		 enum inject_state state)
{
	unlist(t, f);
	f->state = state;
	TAILQ_INSERT_TAIL(&t->list[state], f, entry);
	t->count[state]++;
}

struct inject_file *inject_first(struct inject_table *t,
				 enum inject_state state)
{
	return TAILQ_FIRST(&t->list[state]);
}

size_t inject_count(const struct inject_table *t, enum inject_state state)
{
	return t->count[state];
}

void inject_each(struct inject_table *t,
		 void (*fn)(struct inject_file *f, void *arg), void *arg)
{
	for (size_t i = 0; i < t->n_buckets; i++) {
		struct inject_file *f = t->bucket[i], *next;

		for (; f != NULL; f = next) {
			next = f->next;
			fn(f, arg);
		}
	}
}
