/*
 * Natural batching, whatever the kind of request: items queue while a batch
 * is in flight; when it returns, those that have queued, up to a cap, go as
 * the next.  Within a lane owners take turns (deficit round robin by weight).
 *
 * A batch that fails is run again whole when the database says so (class 40),
 * is failed whole when the database is away or the outcome unknown, and is
 * halved otherwise, until the item at fault stands alone; its owner's next
 * items then go in batches of their own for a minute.
 */
#ifndef SORTIE_SERVER_LANE_H
#define SORTIE_SERVER_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "lib/arena.h"
#include "server/db.h"

struct server;
struct lane;
struct req;

/* The first member of each kind's item; lives in the request's arena. */
struct lane_item {
	STAILQ_ENTRY(lane_item) link;
	struct req *req;
	int64_t owner;   /* who takes turns: an owner's number, a pilot's */
	uint32_t weight; /* jobs, messages, bytes: what the cap counts */
	int64_t put_us;  /* when it was queued */
	size_t bytes;    /* memory that the item holds while it queues */
	bool solo;       /* goes in a batch of its own */
};

struct lane_batch {
	STAILQ_ENTRY(lane_batch) link;
	struct lane *lane;
	struct lane_item **item;
	size_t n;
	int tries;
	struct arena *arena; /* the kind's scratch; dies with the batch */
	void *data;          /* the kind's own */
	int64_t sent_us;
};

struct lane_kind {
	const char *name;    /* for metrics and the connection's name */
	uint32_t max_weight; /* of a batch; an item above it goes alone */
	size_t max_items;    /* of a batch */
	size_t queue_items;  /* beyond them, or 10 s of work: 503 */
	size_t queue_bytes;
	bool one_per_owner;   /* an owner stands at most once in a batch */
	bool drop_gone;       /* items whose peer went away are dropped */
	int64_t statement_ms; /* time-out of its statements; 0 = 30 s */
	/* Fills the statement's parameters and names it. */
	const char *(*build)(struct lane_batch *b, struct db_params *p);
	/* Answers (or passes on) each item of the batch. */
	void (*deliver)(struct lane_batch *b, const struct db_result *r);
	/* Answers one item that failed. */
	void (*fail)(struct lane_item *i, enum db_outcome o,
		     const struct db_fault *f);
};

/* kind lives as long as the lane. */
struct lane *lane_new(struct server *srv, const struct lane_kind *kind);
/* Nobody is answered: the requests are gone (httpd_free) before. */
void lane_free(struct lane *l);
/* True, and the request answered 503, when the queue is full: asked before what
 * is to be put is read, so that refusing costs little. */
bool lane_refuses(struct lane *l, struct req *r, size_t bytes);
/* False, and the request answered so, when the queue is full or the database
 * away. */
bool lane_put(struct lane *l, struct lane_item *i);
/* For deliver: puts an item of the batch into the next one. */
void lane_again(struct lane *l, struct lane_item *i);
struct server *lane_server(const struct lane *l);
/* How many items were ever put, and how many have been answered since: when
 * done has reached an earlier put, what was queued then is committed. */
uint64_t lane_n_put(const struct lane *l);
uint64_t lane_n_done(const struct lane *l);

#endif
