/*
 * The pilot's memory of runs that survives its death: an append-only file of
 * what it was granted, how it ended and what the server has acknowledged.  An
 * end is reported only after its record is on the disk.  Records carry a
 * checksum; what a crash tore off at the end is cut away when the file is
 * read again.
 *
 * Records are collected in memory and written by journal_flush, once per turn
 * of the loop.  fdatasync runs in a thread of its own, so that payloads start
 * and end while the disk turns, and all ends that came meanwhile share the
 * next one.
 */
#ifndef SORTIE_PILOT_JOURNAL_H
#define SORTIE_PILOT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

struct event_base;
struct journal;

enum journal_kind {
	JOURNAL_GRANT = 'G', /* "RUN JOB" */
	JOURNAL_END = 'E',   /* "RUN JOB WALL_MS JSON": JSON is the end as it
				   is reported, open at its end */
	JOURNAL_ACK = 'A'    /* "RUN" */
};

#define JOURNAL_RECORD_MAX 1048576 /* bytes of one record's text */

/* text is NUL-terminated and lives for the call. */
typedef void journal_replay_fn(enum journal_kind kind, const char *text,
			       size_t len, void *arg);
typedef void journal_synced_fn(void *arg);

/* Opens `journal` in the directory (made when missing), gives every whole
 * record to replay and cuts off the rest; *torn (may be NULL) tells how many
 * bytes that were. on_synced comes from the loop after each fdatasync. With
 * base NULL fdatasync happens inside journal_flush. */
struct journal *journal_open(int dir_fd, struct event_base *base,
			     journal_replay_fn *replay,
			     journal_synced_fn *on_synced, void *arg,
			     int64_t *torn, struct err *e);
void journal_close(struct journal *j);
/* Returns the record's mark: it is on the disk when journal_synced() has
 * reached it. */
uint64_t journal_add(struct journal *j, enum journal_kind kind,
		     const char *text, size_t len);
/* Writes what was added, and has it synced when an end is among it. When the
 * disk refuses, the records are given up (said in the log) and count as
 * synced: an end that cannot be kept must still be reported. */
void journal_flush(struct journal *j);
uint64_t journal_synced(const struct journal *j);
/* Bytes of the file and of what waits for it. */
int64_t journal_size(const struct journal *j);
/* Replaces the file by what fill adds to it, atomically; returns false, with
 * the old file intact, when the disk refuses or a sync is under way. */
bool journal_rewrite(struct journal *j,
		     void (*fill)(struct journal *j, void *arg), void *arg,
		     struct err *e) MUST_CHECK;

#endif
