/*
 * A PostgreSQL of our own below one directory: made once, run as a child on a
 * private Unix socket, adopted when it outlived a killed sortied, restarted
 * when it dies, stopped cleanly.
 *
 *	DIR/lock           held while a sortied uses DIR
 *	DIR/pg             the database; DIR/pg.tmp while it is being made
 *	DIR/run            its socket's directory (0700)
 *	DIR/postgres.log   what it says before its own log is open (DIR/pg/log)
 */
#ifndef SORTIE_SERVER_EMBEDDED_H
#define SORTIE_SERVER_EMBEDDED_H

#include <signal.h>
#include <stdbool.h>
#include "lib/arena.h"
#include "lib/err.h"

struct event_base;
struct embedded;
struct settings;

/* Blocks until the database accepts connections (recovery may take minutes;
 * progress is logged) or *stop is not 0. NULL on failure. */
struct embedded *embedded_start(const struct settings *set,
				const volatile sig_atomic_t *stop,
				struct err *e);
/* For tools, when embedded_start was refused because a sortied uses DIR
 * (ERR_CONFLICT): the way to its database, nothing else. */
struct embedded *embedded_attach(const struct settings *set, struct err *e);
/* The connection string, owned by em. */
const char *embedded_conninfo(const struct embedded *em);
/* From now on its death is noticed on the loop and mended. */
void embedded_supervise(struct embedded *em, struct event_base *base);
/* Frees em in a child process that was forked: the database goes on, it is the
 * parent's. */
void embedded_forget(struct embedded *em);
/* Fast shutdown (open transactions are rolled back), waits for the end unless
 * hurry, gives up the lock, frees em. NULL ok. */
void embedded_stop(struct embedded *em, bool hurry);

#endif
