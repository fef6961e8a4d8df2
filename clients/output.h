/* One stream of a run's output on its way from the server to a file
 * descriptor of ours, byte for byte. */
#ifndef SORTIE_CLIENTS_OUTPUT_H
#define SORTIE_CLIENTS_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include "clients/cli.h"
#include "lib/httpc.h"

struct output {
	const char *name; /* "stdout", "stderr" */
	int fd;           /* where it goes */
	int64_t offset;   /* of the next byte wanted */
	bool complete;    /* all that will ever come is here */
	bool lost;        /* told that some was lost */
};

/* attempt 0: the last run. */
void output_path(struct buf *path, int64_t job, int64_t attempt,
		 const struct output *o, int64_t wait_s);
/* Writes what a 200 answer brought and moves on. *got: its bytes. False when
 * fd cannot be written. */
bool output_take(struct output *o, const struct httpc_reply *reply, size_t *got,
		 struct err *e) MUST_CHECK;
/* Fetches and writes all that is stored beyond o->offset. */
bool output_copy(struct cli *c, int64_t job, int64_t attempt, struct output *o,
		 struct err *e) MUST_CHECK;

#endif
