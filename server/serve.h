/* A server from its first breath to its last: assembles the parts that
 * server.h names, serves until told to stop, drains, takes them apart. */
#ifndef SORTIE_SERVER_SERVE_H
#define SORTIE_SERVER_SERVE_H

#include <stdbool.h>
#include "lib/arena.h"
#include "server/options.h"

/* The program's exit status. argv is what a reload reads again; set may be
 * changed by it. */
int serve(struct arena *a, struct settings *set, int argc, char **argv);

#endif
