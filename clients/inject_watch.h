/*
 * The directories that an injector watches: what inotify tells of them, and
 * looking through all of them where inotify is blind (network file systems),
 * switched off, or has lost count.  What is found is only told; what it means
 * is for the owner (inject_run.c).
 */
#ifndef SORTIE_CLIENTS_INJECT_WATCH_H
#define SORTIE_CLIENTS_INJECT_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct inject_watch;

enum inject_news {
	INJECT_FOUND,   /* by looking */
	INJECT_WRITTEN, /* made, or something was written to it */
	INJECT_CLOSED,  /* one who could write to it has closed it */
	INJECT_MOVED_IN /* renamed from elsewhere, as it is */
};

struct inject_watch_config {
	struct event_base *base;
	const char *const *dirs;     /* absolute, NULL-terminated; borrowed */
	const char *const *patterns; /* of names, as for inject_wanted */
	bool recursive, follow;
	bool no_inotify;
	int64_t rescan_ms; /* pause between looks where inotify is blind */
	/* A file whose name is wanted. blind: nobody tells of its changes. */
	void (*on_file)(const char *path, enum inject_news news, bool blind,
			void *arg);
	void (*on_gone)(const char *path, void *arg); /* a file */
	/* A directory went away, with all that was below it. */
	void (*on_dir_gone)(const char *path, void *arg);
	/* A look through everything has ended; complete: every directory could
	 * be read, so what was not found is gone. */
	void (*on_scanned)(bool complete, void *arg);
	void (*hush)(void *arg); /* before a line of the log */
	void *arg;
};

/* Strings of the config are borrowed. */
struct inject_watch *inject_watch_new(const struct inject_watch_config *config);
void inject_watch_free(struct inject_watch *w);
/* Looks through everything now. */
void inject_watch_scan(struct inject_watch *w);

#endif
