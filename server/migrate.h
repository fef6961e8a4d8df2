/*
 * Brings the database's schema to the one that this server speaks, and reads
 * who the cluster is.  Blocks; only at start and in tools.
 */
#ifndef SORTIE_SERVER_MIGRATE_H
#define SORTIE_SERVER_MIGRATE_H

#include <stdbool.h>
#include "lib/err.h"

struct db_sync;
struct server;

/* Applies what is missing in order, each in a transaction of its own, under
 * an advisory lock, then the functions when they or the tables are not ours.
 * Refuses a database that is newer than this program or whose applied
 * migrations are other than ours. *applied: how many migrations. */
bool migrate_run(struct db_sync *db, int *applied, struct err *e) MUST_CHECK;
/* The number of the last migration that this program knows. */
int migrate_level(void);
/* Fills in srv->cluster and srv->cluster_key. */
bool migrate_cluster(struct db_sync *db, struct server *srv,
		     struct err *e) MUST_CHECK;
/* The text of a statement that cannot be prepared; BUG when there is none. */
const char *migrate_sql(const char *name);

#endif
