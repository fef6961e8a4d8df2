/*
 * Copies of files: the program of a run in P3S_MODE=COPY, and the files that a
 * job sends along.
 */
#ifndef SORTIE_PILOT_SENDFILE_H
#define SORTIE_PILOT_SENDFILE_H

#include <stdbool.h>
#include <sys/types.h>
#include "lib/err.h"

struct runas_user;

/* A new file `name` in the directory `at` with the contents of `from` (a
 * descriptor). False with errno, and then there is no file. */
bool sendfile_copy(int at, const char *name, mode_t mode, int from) MUST_CHECK;
/* Copies the file `from` to `name` (relative, may have directories) below the
 * directory cwd. Follows no link on the way and never leaves cwd; what is
 * there under that name is replaced. `from` is read as the pilot, the rest is done as
 * that user (NULL = the pilot). */
bool sendfile_put(const char *cwd, const char *name, mode_t mode,
		  const char *from, const struct runas_user *as,
		  struct err *e) MUST_CHECK;

#endif
