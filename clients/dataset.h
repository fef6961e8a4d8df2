/* What the commands on datasets share. */
#ifndef SORTIE_CLIENTS_DATASET_H
#define SORTIE_CLIENTS_DATASET_H

#include "lib/buf.h"

/* The path of the call for a dataset: word is its number, UUID or path, then at
 * the site (NULL: at none). */
void dataset_path(struct buf *path, const char *word, const char *site);

#endif
