/*
 * Jobs that are ready to be sent, gathered into request bodies.  The first
 * megabyte stays in memory, more goes to a file without a name, so that a
 * million jobs need no more memory than a thousand.
 */
#ifndef SORTIE_CLIENTS_PARTS_H
#define SORTIE_CLIENTS_PARTS_H

#include <stdint.h>
#include "lib/buf.h"
#include "lib/err.h"

struct parts;

/* A part holds at most max_len bytes (longer only if one job is) and
 * max_jobs jobs. */
struct parts *parts_new(size_t max_len, int64_t max_jobs);
void parts_free(struct parts *p);
/* text: one job as JSON. */
bool parts_add(struct parts *p, const char *text, size_t len,
	       struct err *e) MUST_CHECK;
int64_t parts_jobs(const struct parts *p);
size_t parts_n(const struct parts *p);
int64_t parts_jobs_of(const struct parts *p, size_t i);
/* The body of part i (from 0), a JSON list, replaces what b held. */
bool parts_read(struct parts *p, size_t i, struct buf *b,
		struct err *e) MUST_CHECK;

#endif
