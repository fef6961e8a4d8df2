/*
 * The blob directory: files named by their SHA-256.  A blob is on the disk
 * (written aside, fsynced, renamed, directory fsynced) before anybody is told
 * that it is there.  A full disk is ERR_NO_SPACE and harms nothing else.
 */
#ifndef SORTIE_SERVER_BLOB_H
#define SORTIE_SERVER_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/err.h"

struct blobs;

/* Makes the directory (0700) when it is absent. NULL on failure. */
struct blobs *blobs_open(const char *dir, struct err *e) MUST_CHECK;
void blobs_free(struct blobs *b);

/* Writes data, whose SHA-256 is hash; when it is there, it only gets a new
 * date. */
bool blob_put(struct blobs *b, const uint8_t hash[32], const void *data,
	      size_t len, struct err *e) MUST_CHECK;
/* Appends len bytes from offset at (fewer at the end). ERR_NOT_FOUND. */
bool blob_read(struct blobs *b, const uint8_t hash[32], uint64_t at, size_t len,
	       struct buf *out, struct err *e) MUST_CHECK;
/* Removes it, unless it was put in the last hour: somebody may be about to
 * record it. What is not there is fine. */
bool blob_remove(struct blobs *b, const uint8_t hash[32],
		 struct err *e) MUST_CHECK;
/* Calls fn for each blob of one of the 256 folders, at most max of them, that
 * was put more than an hour ago. */
void blob_each(struct blobs *b, uint8_t folder, size_t max,
	       void (*fn)(const uint8_t hash[32], void *arg), void *arg);

#endif
