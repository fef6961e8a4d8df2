/* File descriptors: writes that are whole or an error, and stay. */
#ifndef SORTIE_LIB_FD_H
#define SORTIE_LIB_FD_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/err.h"

/* Writes all len bytes, in as many pieces and tries as that takes; fd blocks.
 * False with errno set when it cannot: some may have been written. */
bool fd_write_all(int fd, const void *p, size_t len) MUST_CHECK;

/* Makes the names in the folder of this path durable: a new file, synced by
 * itself, is otherwise gone when the power fails.  False with errno set. */
bool fd_sync_folder(const char *path) MUST_CHECK;

#endif
