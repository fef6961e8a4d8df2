/*
 * Memory that is given back all at once: whatever a request, a command or a
 * decode step allocates dies together, so nobody frees pieces.  Allocation
 * does not fail (the process dies: its truth is in PostgreSQL), hence sizes
 * must be bounded by whoever takes input from outside.
 */
#ifndef SORTIE_LIB_ARENA_H
#define SORTIE_LIB_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
/* Runs the deferred releases, newest first, then frees everything. NULL ok. */
void arena_free(struct arena *a);
/* As arena_free, but the arena itself stays and may be used again. */
void arena_reset(struct arena *a);

/* Zeroed, aligned for any type. len 0 gives a unique pointer. */
void *arena_alloc(struct arena *a, size_t len) __attribute__((malloc));
/* n times len bytes; dies when the product does not fit. */
void *arena_calloc(struct arena *a, size_t n, size_t len);
void *arena_memdup(struct arena *a, const void *p, size_t len);
/* NULL gives NULL. */
char *arena_strdup(struct arena *a, const char *s);
/* len bytes are copied, whatever they are, and a NUL put behind them. */
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
/* A foreign object joins: release(p) is called when the arena dies; it must
 * not allocate in the arena. */
void arena_defer(struct arena *a, void (*release)(void *p), void *p);
/* Bytes held, for metrics and tests. */
size_t arena_size(const struct arena *a);

/* malloc, calloc, realloc, strdup that die instead of failing; length 0 gives
 * a unique pointer. The caller frees. */
void *xmalloc(size_t len);
void *xcalloc(size_t n, size_t len);
void *xrealloc(void *p, size_t len);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) \
	((type *)arena_calloc((a), (size_t)(n), sizeof(type)))

#endif
