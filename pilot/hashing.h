/*
 * Checksums of a run's output files, computed in a thread, so that neither a
 * large file nor a slow disk holds up the pilot's loop.
 */
#ifndef SORTIE_PILOT_HASHING_H
#define SORTIE_PILOT_HASHING_H

#include <stdbool.h>
#include "lib/err.h"
#include "pilot/runfiles.h"

struct event_base;
struct hashing;

/* e tells of the first file that could not be read; NULL: all went well, or
 * hashing_stop came before the end. */
typedef void hashing_done_fn(const struct err *e, void *arg);

/* Begins; f and cwd are the thread's until done, which comes once, from the
 * loop. Sets sha256 and size of the outputs that runfiles_to_hash counts.
 * NULL with *e filled: no thread or descriptor is to be had. */
struct hashing *hashing_start(struct event_base *base, struct runfiles *f,
			      const char *cwd, hashing_done_fn *done, void *arg,
			      struct err *e);
/* No more files: done comes as soon as the disk lets the thread go. Files
 * that were not read to their end have no checksum. */
void hashing_stop(struct hashing *h);

#endif
