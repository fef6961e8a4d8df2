/*
 * The one way in which a problem of the world is told: a code from one table
 * and one sentence for a person.  The caller owns the struct; functions that
 * can fail take it last, return bool, and have no side effect on failure.
 * Messages: lower case, no full stop, what failed first, the subject in
 * quotes, then what to do.
 */
#ifndef SORTIE_LIB_ERR_H
#define SORTIE_LIB_ERR_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

/* X(symbol, name on the wire, HTTP status) */
/* clang-format off */
#define ERR_TABLE(X)                                                  \
	X(ERR_NONE, "none", 200)                                      \
	X(ERR_BAD_REQUEST, "bad_request", 400)                        \
	X(ERR_UNAUTHORIZED, "unauthorized", 401)                      \
	X(ERR_FORBIDDEN, "forbidden", 403)                            \
	X(ERR_NOT_FOUND, "not_found", 404)                            \
	X(ERR_METHOD, "method_not_allowed", 405)                      \
	X(ERR_REQUEST_TIMEOUT, "request_timeout", 408)                \
	X(ERR_CONFLICT, "conflict", 409)                              \
	X(ERR_GONE, "gone", 410)                                      \
	X(ERR_LENGTH_REQUIRED, "length_required", 411)                \
	X(ERR_TOO_LARGE, "too_large", 413)                            \
	X(ERR_MEDIA_TYPE, "unsupported_media_type", 415)              \
	X(ERR_EXPECTATION, "expectation_failed", 417)                 \
	X(ERR_UNPROCESSABLE, "unprocessable", 422)                    \
	X(ERR_TOO_MANY, "too_many_requests", 429)                     \
	X(ERR_HEADERS_TOO_LARGE, "headers_too_large", 431)            \
	X(ERR_INTERNAL, "internal", 500)                              \
	X(ERR_UNAVAILABLE, "unavailable", 503)                        \
	X(ERR_OUTCOME_UNKNOWN, "outcome_unknown", 503)                \
	X(ERR_NO_SPACE, "no_space", 507)                              \
	X(ERR_IO, "io", 500)                                          \
	X(ERR_TIMEOUT, "timeout", 504)                                \
	X(ERR_HTTP_VERSION, "http_version_not_supported", 505)

enum err_code {
#define X(sym, name, status) sym,
	ERR_TABLE(X)
#undef X
};

struct err {
	enum err_code code;
	char text[1024];
};

#define ERR_INIT { ERR_NONE, "" }
/* clang-format on */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Fills *e and returns false, so that it can be the return expression. */
bool err_set(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* As err_set, with ": <text of errno>" behind it. */
bool err_set_errno(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts "<prefix>: " in front of the sentence that is there. Returns false. */
bool err_prefix(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

const char *err_name(enum err_code code);      /* "bad_request" */
int err_status(enum err_code code);            /* 400 */
enum err_code err_from_name(const char *name); /* ERR_INTERNAL if unknown */

#endif
