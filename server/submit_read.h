/*
 * Jobs as a request's body brings them: one object, a list of objects, or
 * NDJSON, checked one after another so that a body of any number of jobs
 * needs little more memory than what is stored of them.
 */
#ifndef SORTIE_SERVER_SUBMIT_READ_H
#define SORTIE_SERVER_SUBMIT_READ_H

#include <stdbool.h>
#include "lib/err.h"
#include "lib/jobspec.h"
#include "server/lanes_int.h"

/* Fills s->job, s->need, s->total, s->keyed; the classes are not known yet. */
bool submit_read(struct req *r, struct submit *s, struct err *e) MUST_CHECK;

/* Adds one job that was decoded already; where names it in messages ("job 3")
 * or is "". What is kept is copied. */
bool submit_add(struct req *r, struct submit *s, const struct jobspec *j,
		const char *where, struct err *e) MUST_CHECK;

#endif
