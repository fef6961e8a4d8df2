/* What the commands on workflows share. */
#ifndef SORTIE_CLIENTS_WORKFLOW_H
#define SORTIE_CLIENTS_WORKFLOW_H

#include "clients/call.h"
#include "clients/cli.h"
#include "lib/buf.h"
#include "lib/json.h"

/* The path of a call for a workflow: word is its number or UUID; suffix
 * ("/start") or "". */
void workflow_path(struct buf *path, const char *word, const char *suffix);
/* Asks for it. False: nothing is left to do, the answer was printed as it is
 * (--json) or the failure told, and *status is the command's. */
bool workflow_get(struct cli *c, const char *word, const char *suffix,
		  struct call_answer *answer, int *status);
/* "3 running, 90 waiting": the states of a workflow's view, but those in which
 * no job is. */
void workflow_states(struct buf *b, struct json_object *view);
/* The exit status that stands for the end of a workflow. */
int workflow_exit(struct json_object *view);
/* Long polls until it has ended, with a bar; timeout_s 0: as long as it takes.
 * Prints the sentence about its end, or its view with --json. */
int workflow_wait(struct cli *c, const char *word, int64_t timeout_s);

#endif
