/*
 * Who is next on the pool: a line for each owner, and owners take turns, so
 * that nobody waits behind all that another one has sent.  No owner has all
 * connections at a time, and when there is no more room the longest line loses
 * its last.
 */
#ifndef SORTIE_SERVER_DB_TURNS_H
#define SORTIE_SERVER_DB_TURNS_H

#include <stdint.h>
#include <sys/queue.h>
#include "server/db.h"

struct db_turns;

/* A statement that waits for the pool. */
struct db_wait {
	TAILQ_ENTRY(db_wait) link;
	struct db *db;
	int64_t owner; /* who takes turns */
	const char *stmt;
	struct db_params *params;
	db_done_fn *done;
	void *arg;
	int64_t queued_us;
	int tries;
};

/* max: statements that wait; share: how many of an owner's run at a time (the
 * server's own, owner 0, are not bound). Both at least 1. */
struct db_turns *db_turns_new(int max, int share);
/* Frees what waits, too. */
void db_turns_free(struct db_turns *t);
int db_turns_waiting(const struct db_turns *t);

/* Takes w over and queues it. Returns who is to be refused, and the caller's
 * again: NULL as a rule, w itself when its line is as long as any. */
struct db_wait *db_turns_put(struct db_turns *t, struct db_wait *w);
/* The next one, which runs from now on, until db_turns_ran; NULL: none may. */
struct db_wait *db_turns_take(struct db_turns *t);
void db_turns_ran(struct db_turns *t, const struct db_wait *w);
/* Any that waits, to refuse it; NULL: none does. */
struct db_wait *db_turns_drop(struct db_turns *t);

#endif
