/*
 * The head of an HTTP/1.0 or 1.1 request: where it ends, and what it says.
 *
 * Only what RFC 9112 calls well-formed is taken, so that no other program on
 * the way can read the same bytes in another way: lines end in CR LF, nothing
 * is folded, no control bytes, no blank before a colon, one Host, one
 * Content-Length of digits or one "chunked", never both, and nothing twice
 * that may stand once.  These functions know no sockets, so that any bytes
 * can be tried on them.
 */
#ifndef SORTIE_SERVER_HTTP_HEAD_H
#define SORTIE_SERVER_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

#define HTTP_HEAD_MAX ((size_t)16384) /* bytes, with the empty line */
#define HTTP_FIELDS_MAX 64

enum http_got {
	HTTP_FAULT, /* the err says what; the connection is to be closed */
	HTTP_MORE,  /* as far as it goes it is well-formed */
	HTTP_WHOLE
};

/* How far a head that comes in pieces was looked at; zero at its beginning. */
struct http_scan {
	size_t seen;
	size_t line; /* where the last line begins */
	size_t lines;
};

struct http_field {
	const char *name;  /* as it was written */
	const char *value; /* without the blanks around it */
};

struct http_head {
	const char *method;
	const char *path;         /* begins with '/'; not decoded */
	const char *query;        /* behind the '?', or NULL */
	struct http_field *field; /* the caller's: room for HTTP_FIELDS_MAX */
	size_t n_fields;
	uint64_t length; /* of the body; saturates */
	bool chunked;
	bool expects;   /* waits for 100 before it sends the body */
	bool close;     /* after the reply */
	int minor;      /* HTTP/1.minor: 0 or 1 */
	unsigned known; /* which fields of http_head.c's table were there */
};

/* p: all that has come since the head's beginning, len bytes; s remembers
 * what was looked at in the calls before. *head_len is set with HTTP_WHOLE. */
enum http_got http_head_scan(struct http_scan *s, const char *p, size_t len,
			     size_t *head_len, struct err *e) MUST_CHECK;
/* Cuts a whole head in place: *h points into it. ERR_BAD_REQUEST,
 * ERR_HEADERS_TOO_LARGE, ERR_HTTP_VERSION or ERR_EXPECTATION. */
bool http_head_parse(struct http_head *h, char *head, size_t len,
		     struct err *e) MUST_CHECK;
/* The value of a field, by its name in any case; NULL: it is not there. */
const char *http_head_get(const struct http_head *h, const char *name);

/* Whether all of the bytes may stand in a field's value. */
bool http_is_value(const char *p, size_t len);
/* How many of the first bytes may stand in a field's name. */
size_t http_token_len(const char *p, size_t len);

#endif
