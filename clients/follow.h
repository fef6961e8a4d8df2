/*
 * Following one job: its output as it is written, until it has ended.  What
 * is shown while it runs comes by long polls; what is left at its end is
 * fetched whole, so that nothing is missing when this returns.
 */
#ifndef SORTIE_CLIENTS_FOLLOW_H
#define SORTIE_CLIENTS_FOLLOW_H

#include "clients/call.h"
#include "clients/output.h"

struct follow {
	struct cli *c;
	int64_t job;
	int64_t attempt;     /* the first run to show, from 1 */
	bool one_run;        /* end with that run */
	int out_fd, err_fd;  /* -1 = that stream is not wanted */
	bool explain;        /* after 3 s without a grant, say why */
	bool cancel;         /* an interrupt cancels the job */
	struct arena *arena; /* where the result lives */
	/* set by follow_run */
	struct json_object *result; /* the job's last view, or NULL */
	int interrupted;            /* signal that cancelled, 0 = none */
};

/* Returns when all is shown. False: the server failed for good, or we cannot
 * write; *e tells. A second interrupt ends the program. */
bool follow_run(struct follow *f, struct err *e) MUST_CHECK;

#endif
