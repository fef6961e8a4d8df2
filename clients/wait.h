/* Waiting until jobs have ended, with a bar on the terminal. */
#ifndef SORTIE_CLIENTS_WAIT_H
#define SORTIE_CLIENTS_WAIT_H

#include "clients/cli.h"
#include "clients/refs.h"

/* timeout_s 0: as long as it takes. Tells how many ended badly, with document
 * also as JSON when --json or --ndjson asks for it, and gives the exit status:
 * that of the first job that did, CLI_GAVE_UP when time is over, CLI_OWN when
 * the server fails for good. */
int wait_jobs(struct cli *c, const struct refs *refs, int64_t timeout_s,
	      bool document);

#endif
