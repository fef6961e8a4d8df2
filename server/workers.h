/*
 * `workers = N`: a process that serves nothing keeps sockets and embedded
 * database, and N servers as its children, each with a row of its own in
 * sortie.server, all accepting from the same sockets.  A worker that dies is
 * started again; connections that wait in a socket's queue go to the others
 * meanwhile.  When the process that keeps them dies, they die with it.
 */
#ifndef SORTIE_SERVER_WORKERS_H
#define SORTIE_SERVER_WORKERS_H

#include "lib/arena.h"
#include "server/options.h"

/* The program's exit status. What serve does, for set->workers > 1. */
int workers_run(struct arena *a, struct settings *set, int argc, char **argv);

#endif
