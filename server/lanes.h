/*
 * The hot path's way into the database: requests of one kind (submit, claim,
 * report, output) that arrive while a batch of that kind is in flight go as
 * the next batch, each batch one call of one SQL function on the lane's own
 * connection (lane.h).  Nothing waits for a batch to fill up.
 */
#ifndef SORTIE_SERVER_LANES_H
#define SORTIE_SERVER_LANES_H

#include <stddef.h>
#include <stdint.h>

struct server;
struct lanes;
struct lane;

/* Who counts in which bucket: every writer its own (sortie.tally), also every
 * duty, since they run beside one another and would wait for each other's
 * counters with other rows locked. The pool's is srv->bucket itself. */
enum bucket {
	BUCKET_POOL,
	BUCKET_SUBMIT,
	BUCKET_BULK,
	BUCKET_CLAIM,
	BUCKET_REPORT,
	BUCKET_LEASE,
	BUCKET_DUE,
	BUCKET_RETENTION,
	BUCKET_FIRING,
	BUCKET_CANCEL,
	BUCKET_RETRY,
	BUCKET_PRIORITY,
	BUCKET_FORGET,
	BUCKET_LOOK,
	BUCKETS = 16
};

/* Needs srv->base, db, metrics, set, server_id and bucket (lease_open). */
struct lanes *lanes_new(struct server *srv);
/* Nobody is answered: the requests are gone (httpd_free) before. */
void lanes_free(struct lanes *l);
int32_t lanes_bucket(const struct server *srv, enum bucket b);

#endif
