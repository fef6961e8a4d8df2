/*
 * The injector at work: files come to a table as the watch finds them, wait
 * there until they are whole, and are told to the server, each version once.
 */
#ifndef SORTIE_CLIENTS_INJECT_RUN_H
#define SORTIE_CLIENTS_INJECT_RUN_H

#include "clients/cli.h"
#include "clients/inject_send.h"

struct inject_plan {
	const char *const *dirs;     /* absolute, NULL-terminated */
	const char *const *patterns; /* of names, NULL-terminated */
	struct inject_order order;
	bool recursive, follow, no_inotify;
	bool again; /* a file that has changed is a new version */
	bool once;
	int64_t min_size;      /* bytes */
	int64_t max_age_ms;    /* when it is found; 0 = any */
	int64_t settle_ms;     /* quiet for so long: complete; 0 = closed */
	int64_t period_ms;     /* of a cycle, and of looks without inotify */
	int64_t cycles;        /* 0 = for ever */
	int64_t max_per_cycle; /* files; 0 = any number */
};

/* Until told to stop, or done; the exit status. */
int inject_run(struct cli *c, const struct inject_plan *plan);

#endif
