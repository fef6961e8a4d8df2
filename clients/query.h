/* Puts paths and queries of calls together, encoded. */
#ifndef SORTIE_CLIENTS_QUERY_H
#define SORTIE_CLIENTS_QUERY_H

#include <stdint.h>
#include "lib/buf.h"

/* Adds "name=value" with the '?' or '&' it needs; value NULL or "": nothing. */
void query_add(struct buf *path, const char *name, const char *value);
void query_add_i64(struct buf *path, const char *name, int64_t value);
/* The elements of the NULL-terminated list (NULL ok) as one value, with commas
 * between them. */
void query_add_joined(struct buf *path, const char *name,
		      const char *const *values);
/* "/api/v1/sites/" + one encoded component. */
void query_path(struct buf *path, const char *prefix, const char *name);

#endif
