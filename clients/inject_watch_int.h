/*
 * What the two halves of the injector's watch share: inject_watch.c (the
 * kernel's events) and inject_scan.c (looking through directories).
 */
#ifndef SORTIE_CLIENTS_INJECT_WATCH_INT_H
#define SORTIE_CLIENTS_INJECT_WATCH_INT_H

#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>
#include "clients/inject_watch.h"

struct event;

/* A directory that inotify watches. */
struct inject_dir {
	LIST_ENTRY(inject_dir) entry;
	int wd;
	uint32_t look; /* the last one that came by */
	char *path;
};

/* Which directory it is, whatever its name. */
struct inject_place {
	dev_t dev;
	ino_t ino;
};

struct inject_watch {
	struct inject_watch_config c;
	int fd; /* inotify's; -1 = none */
	struct event *read_ev, *tick_ev;
	LIST_HEAD(inject_dirs, inject_dir) dirs;
	struct inject_dir **by_wd;
	size_t cap;
	struct inject_place
		*roots; /* of the config's dirs, as the last look found
				them; ino 0 = not there */
	struct inject_place *linked; /* that links have led to in this look */
	size_t n_linked, linked_cap;
	uint32_t look;
	int64_t looked_ms; /* monotonic */
	bool degraded;     /* the kernel's limit of watches is reached */
	bool unseen;       /* somewhere changes raise no events */
	bool lost;       /* events were lost: trust nothing but a second look */
	bool due;        /* look now */
	bool incomplete; /* a directory could not be read in this look */
	bool root_gone;  /* a directory that was named is not there */
	uint64_t *said;  /* hashes of what could not be read and was told so */
	size_t n_said, said_cap;
};

/* inject_watch.c */

/* Watches it; true when nobody will tell of changes in it. */
bool inject_watch_dir(struct inject_watch *w, const char *path);
void inject_watch_forget(struct inject_watch *w, struct inject_dir *d);
/* The next look, or the question whether one is due, after the pause. */
void inject_watch_tick_later(struct inject_watch *w);

/* inject_scan.c */

/* Looks through a directory that has just come. */
void inject_scan_dir(struct inject_watch *w, const char *path);
/* That, or nothing, for what a link leads to; false when it is no directory,
 * or no link. */
bool inject_scan_link(struct inject_watch *w, const char *path,
		      const char *name);
/* Directories of that name are looked into. */
bool inject_goes_into(const struct inject_watch *w, const char *name);
/* Something else has a root's name: it was replaced, a directory above it was
 * renamed, or a file system was mounted over it, of which no event tells. */
bool inject_roots_have_changed(const struct inject_watch *w);

#endif
