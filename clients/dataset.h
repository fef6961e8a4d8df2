/* What the commands on datasets share. */
#ifndef SORTIE_CLIENTS_DATASET_H
#define SORTIE_CLIENTS_DATASET_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"

/* The path of the call for a dataset: word is its number, UUID or path (as it
 * is found from here, see clients/filepath.h), then at the site (NULL: at
 * none). */
bool dataset_path(struct arena *a, struct buf *path, const char *word,
		  const char *site, struct err *e) MUST_CHECK;

#endif
