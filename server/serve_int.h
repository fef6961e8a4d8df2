/* What serve.c and workers.c share: one server, as a process of its own or as
 * one of several. */
#ifndef SORTIE_SERVER_SERVE_INT_H
#define SORTIE_SERVER_SERVE_INT_H

#include <signal.h>
#include "server/options.h"
#include "server/sockets.h"

struct arena;

/* What a worker gets from the process that started it. */
struct serve_worker {
	int number; /* from 1 */
	struct sockets sockets;
	const char *conninfo;
	/* Called once it serves. */
	void (*ready)(void *arg);
	void *arg;
};

/* Set by a signal that comes before there is a loop. */
extern volatile sig_atomic_t serve_stop_asked;
void serve_catch_early(void);

/* worker NULL: all of a server. The exit status. */
int serve_one(struct arena *a, struct settings *set, int argc, char **argv,
	      const struct serve_worker *worker);

#endif
