/*
 * The files that an injector knows: each is on the list of its state, and is
 * found by its path.  A file is here while it lies in a directory that is
 * watched; what was made of it stays in the server.
 */
#ifndef SORTIE_CLIENTS_INJECT_TABLE_H
#define SORTIE_CLIENTS_INJECT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum inject_state {
	INJECT_SETTLING, /* may still change; in order of changed_ms */
	INJECT_READY,    /* complete; first in, first out */
	INJECT_SENDING,
	INJECT_TOLD,    /* the server has it */
	INJECT_REFUSED, /* the server does not want it; in order of changed_ms */
	INJECT_SMALL,   /* below the least size: waits for an event */
	INJECT_STATES
};

struct inject_file {
	TAILQ_ENTRY(inject_file) entry; /* on the list of its state */
	struct inject_file *next;       /* in its bucket */
	char *path;
	enum inject_state state;
	int64_t size, mtime_ns; /* when last looked at */
	int64_t seen_ms;        /* wall; this version */
	int64_t complete_ms;    /* wall */
	int64_t changed_ms;     /* monotonic: when it came to its list */
	int version;            /* the newest that the server has; 0 = none */
	int64_t told_size, told_ms; /* of that: bytes, time of change */
	uint64_t refusal;   /* a hash of what was said of it, 0 = nothing */
	uint32_t scan;      /* the last one that found it */
	bool blind;         /* nobody tells of its changes */
	bool changed, gone; /* while it was on its way */
};

TAILQ_HEAD(inject_list, inject_file);
struct inject_table;

uint64_t inject_hash(const char *text);

struct inject_table *inject_table_new(void);
void inject_table_free(struct inject_table *t);
struct inject_file *inject_find(struct inject_table *t, const char *path);
/* A new one, INJECT_SETTLING; the path is copied and must be new. */
struct inject_file *inject_add(struct inject_table *t, const char *path);
void inject_remove(struct inject_table *t, struct inject_file *f);
/* To the end of a state's list, also when it is on that already. */
void inject_move(struct inject_table *t, struct inject_file *f,
		 enum inject_state state);
struct inject_file *inject_first(struct inject_table *t,
				 enum inject_state state);
size_t inject_count(const struct inject_table *t, enum inject_state state);
/* Calls fn for each; it may remove the one that it gets. */
void inject_each(struct inject_table *t,
		 void (*fn)(struct inject_file *f, void *arg), void *arg);

#endif
