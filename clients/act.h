/*
 * Actions on many jobs or pilots at once: sends them in parts that the server
 * takes, adds up what was done, and tells each refusal.
 */
#ifndef SORTIE_CLIENTS_ACT_H
#define SORTIE_CLIENTS_ACT_H

#include "clients/cli.h"
#include "clients/refs.h"

/* Jobs. extra: further members of the body ("\"cancel\":true") or NULL. verb
 * for people: "cancelled". The exit status. */
int act_jobs(struct cli *c, const char *action, const char *verb,
	     struct refs *refs, const char *extra);
/* Any call that answers {"done","refused"}: body as it is. noun: "job". */
int act_once(struct cli *c, const char *path, const char *body,
	     const char *noun, const char *verb);

/* Sends body (NULL = none) to prefix + name and says "NAME SAID". */
int act_named(struct cli *c, const char *method, const char *prefix,
	      const char *name, const char *body, const char *said);
/* DELETEs prefix + name for each argument, and says "WHAT NAME DONE"; ends at
 * the first that fails. */
int act_delete(struct cli *c, const char *prefix, const char *what,
	       const char *done);

#endif
