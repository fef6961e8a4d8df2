/* Hands out memory from large blocks that are given back all together. */
#include "lib/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/log.h"

/* Most requests fit the first block, and a claim that waits for work, of which
 * there are tens of thousands, leaves little of it unused; later blocks double
 * up to the last. */
#define FIRST_BLOCK 2048
#define LAST_BLOCK (64 * 1024)
/* Nothing that is bounded at the edge comes near; stops wrapped sizes. */
#define LEN_MAX (SIZE_MAX / 4)

/* Under the address sanitizer every allocation is a block of its own, so that
 * it sees a step over the end of one. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ONE_EACH 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define ONE_EACH 1
#endif
#ifndef ONE_EACH
#define ONE_EACH 0
#endif

struct block {
	struct block *next;
	size_t cap; /* bytes in data */
	size_t used;
	alignas(max_align_t) unsigned char data[];
};

struct deferred {
	struct deferred *next;
	void (*release)(void *p);
	void *p;
};

struct arena {
	struct block *blocks; /* the first is the one with room */
	struct deferred *deferred;
	size_t size; /* bytes of all blocks */
	size_t next_cap;
};

struct arena *arena_new(void)
{
	struct arena *a = xcalloc(1, sizeof(*a));

	a->next_cap = FIRST_BLOCK;
	return a;
}

static void run_deferred(struct arena *a)
{
	while (a->deferred != NULL) {
		struct deferred *d = a->deferred;

		a->deferred = d->next;
		d->release(d->p);
	}
}

/* Frees all blocks but one that is worth keeping, which is returned empty. */
static struct block *free_blocks(struct arena *a, bool keep_one)
{
	struct block *kept = NULL;

	while (a->blocks != NULL) {
		struct block *b = a->blocks;

		a->blocks = b->next;
		if (keep_one && kept == NULL && b->cap <= LAST_BLOCK) {
			memset(b->data, 0, b->used);
			b->used = 0;
			b->next = NULL;
			kept = b;
		} else {
			free(b);
		}
	}
	return kept;
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	run_deferred(a);
	free_blocks(a, false);
	free(a);
}

void arena_reset(struct arena *a)
{
	run_deferred(a);
	a->blocks = free_blocks(a, !ONE_EACH);
	a->size = 0;
	if (a->blocks != NULL)
		a->size = sizeof(struct block) + a->blocks->cap;
	a->next_cap = FIRST_BLOCK;
}

static struct block *block_new(struct arena *a, size_t cap)
{
	struct block *b = xcalloc(1, sizeof(*b) + cap);

	b->cap = cap;
	a->size += sizeof(*b) + cap;
	return b;
}

/* A block of its own goes behind the first, whose room stays in use. */
static void *alloc_alone(struct arena *a, size_t len)
{
	struct block *b = block_new(a, len);

	b->used = len;
	if (a->blocks != NULL) {
		b->next = a->blocks->next;
		a->blocks->next = b;
	} else {
		a->blocks = b;
	}
	return b->data;
}

static size_t room(const struct block *b)
{
	return b != NULL ? b->cap - b->used : 0;
}

void *arena_alloc(struct arena *a, size_t len)
{
	const size_t align = alignof(max_align_t);
	struct block *b = a->blocks;
	void *p;

	if (len > LEN_MAX)
		log_die("out of memory: %zu bytes asked for", len);
	if (ONE_EACH)
		return alloc_alone(a, len > 0 ? len : 1);
	len = len > 0 ? (len + align - 1) / align * align : align;
	if (len > room(b)) {
		if (len > a->next_cap / 4)
			return alloc_alone(a, len);
		b = block_new(a, a->next_cap);
		b->next = a->blocks;
		a->blocks = b;
		if (a->next_cap < LAST_BLOCK)
			a->next_cap *= 2;
	}
	p = b->data + b->used;
	b->used += len;
	return p;
}

void *arena_calloc(struct arena *a, size_t n, size_t len)
{
	size_t total;

	if (__builtin_mul_overflow(n, len, &total))
		log_die("out of memory: %zu times %zu bytes asked for", n, len);
	return arena_alloc(a, total);
}

void *arena_memdup(struct arena *a, const void *p, size_t len)
{
	void *copy = arena_alloc(a, len);

	if (len > 0)
		memcpy(copy, p, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s != NULL ? arena_memdup(a, s, strlen(s) + 1) : NULL;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy;

	if (len > LEN_MAX)
		log_die("out of memory: %zu bytes asked for", len);
	copy = arena_alloc(a, len + 1);
	if (len > 0)
		memcpy(copy, s, len);
	return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *s;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		BUG("format \"%s\" cannot be printed", fmt);
	s = arena_alloc(a, (size_t)len + 1);
	vsnprintf(s, (size_t)len + 1, fmt, ap);
	return s;
}

void arena_defer(struct arena *a, void (*release)(void *p), void *p)
{
	struct deferred *d = arena_alloc(a, sizeof(*d));

	d->release = release;
	d->p = p;
	d->next = a->deferred;
	a->deferred = d;
}

size_t arena_size(const struct arena *a)
{
	return a->size;
}

static void *must(void *p, size_t len)
{
	if (p == NULL)
		log_die("out of memory: %zu bytes asked for", len);
	return p;
}

void *xmalloc(size_t len)
{
	return must(malloc(len > 0 ? len : 1), len);
}

void *xcalloc(size_t n, size_t len)
{
	return must(n > 0 && len > 0 ? calloc(n, len) : calloc(1, 1), len);
}

void *xrealloc(void *p, size_t len)
{
	return must(realloc(p, len > 0 ? len : 1), len);
}

char *xstrdup(const char *s)
{
	size_t len = strlen(s) + 1;

	return memcpy(xmalloc(len), s, len);
}

char *xstrndup(const char *s, size_t len)
{
	size_t n = strnlen(s, len);
	char *copy = xmalloc(n + 1);

	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&s, fmt, ap);
	va_end(ap);
	return must(len >= 0 ? s : NULL, 0);
}
