/*
 * The body of an HTTP/1.1 request that comes in chunks, each with its length
 * before it.  As http_head.h: strict, and without sockets.
 */
#ifndef SORTIE_SERVER_HTTP_CHUNKS_H
#define SORTIE_SERVER_HTTP_CHUNKS_H

#include <stddef.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/err.h"
#include "server/http_head.h"

/* Zero at the body's beginning. */
struct http_chunks {
	int state;
	unsigned digits; /* of the length being read */
	size_t left;     /* bytes of the chunk that are still to come */
	size_t extra;    /* bytes of extensions and trailers so far */
};

/* Takes of the len bytes what belongs to the body, *used of them: all, with
 * HTTP_MORE; up to the fault, with HTTP_FAULT. What was sent is appended to
 * out, at most max bytes in all (ERR_TOO_LARGE). Extensions and trailers are
 * checked and thrown away. */
enum http_got http_chunks_take(struct http_chunks *c, const char *p, size_t len,
			       size_t *used, struct buf *out, size_t max,
			       struct err *e) MUST_CHECK;

#endif
