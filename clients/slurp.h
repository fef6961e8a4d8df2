/* Reading a small file whole. */
#ifndef SORTIE_CLIENTS_SLURP_H
#define SORTIE_CLIENTS_SLURP_H

#include "lib/buf.h"
#include "lib/err.h"

/* Appends the content; "-" is standard input. More than max bytes is an
 * error. */
bool slurp_file(const char *path, size_t max, struct buf *b,
		struct err *e) MUST_CHECK;

#endif
