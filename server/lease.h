/*
 * Service time (doc: leases): this process's row in sortie.server, whose
 * ticks only it advances, and only while it is able to hear its pilots; the
 * expiry of pilots that it last heard; the adoption of pilots whose server
 * stands still.
 */
#ifndef SORTIE_SERVER_LEASE_H
#define SORTIE_SERVER_LEASE_H

#include <stdbool.h>
#include "lib/err.h"

struct server;
struct db_sync;
struct lease;

/* Makes the row, on the blocking connection that migrated: fills in
 * srv->server_id and srv->bucket. Before anything that needs them. */
bool lease_open(struct server *srv, struct db_sync *db,
		struct err *e) MUST_CHECK;
/* Starts the clock. Needs srv->base, db, metrics, lanes, park. */
struct lease *lease_new(struct server *srv);
void lease_free(struct lease *l);
/* Another server's row lives (so NOTIFY has a reader). */
bool lease_others(const struct lease *l);

#endif
