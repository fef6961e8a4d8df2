/*
 * What a dataset's path is when a person names the file as it is found from
 * here, so that everybody means the same file.
 */
#ifndef SORTIE_CLIENTS_FILEPATH_H
#define SORTIE_CLIENTS_FILEPATH_H

#include "lib/arena.h"
#include "lib/err.h"

/* A path from the root without ".." is what workflows call the file, and
 * stays. Any other becomes one from the root: its directory is resolved, links
 * and all, as injectors tell it; one that is not there is taken below the
 * current directory. ERR_BAD_REQUEST: a directory, or ".." behind one that is
 * not there. */
bool filepath_resolve(struct arena *a, const char **path,
		      struct err *e) MUST_CHECK;

#endif
