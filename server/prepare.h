/*
 * What must be there before a server can serve: a reachable database with the
 * schema of this program, the cluster's identity, and the first tokens.
 * Everything here blocks.
 */
#ifndef SORTIE_SERVER_PREPARE_H
#define SORTIE_SERVER_PREPARE_H

#include <signal.h>
#include <stdbool.h>
#include "lib/err.h"

struct db_sync;
struct server;
struct settings;

/* Makes the state directory (0700, 0711 when root shares it with the embedded
 * database's user). */
bool prepare_state_dir(const struct settings *set, struct err *e) MUST_CHECK;
/* Starts the embedded database if it is ours; fills in srv->embedded and
 * srv->conninfo. */
bool prepare_embedded(struct server *srv, const volatile sig_atomic_t *stop,
		      struct err *e) MUST_CHECK;
/* Connects, waiting for a database that is away as long as *stop is 0;
 * migrates; reads the cluster's identity; makes the first tokens. The caller
 * closes *db. NULL on failure. */
struct db_sync *prepare_database(struct server *srv,
				 const volatile sig_atomic_t *stop,
				 struct err *e);

#endif
