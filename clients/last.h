/* What the last command of this user to this server made: `@last`. */
#ifndef SORTIE_CLIENTS_LAST_H
#define SORTIE_CLIENTS_LAST_H

#include "clients/refs.h"

/* noun: "job", "workflow", "dataset": each has a memory of its own, kept per
 * server. Saving is silent: a home that cannot be written costs only @last. */
void last_save(struct cli *c, const char *noun, const struct refs *refs);
/* Appends the numbers to out. */
bool last_read(struct cli *c, const char *noun, struct refs *out,
	       struct err *e) MUST_CHECK;

#endif
