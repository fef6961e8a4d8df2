/*
 * An HTTP client that costs next to nothing, so that a benchmark measures the
 * server: one keep-alive connection, one request at a time, no retries.
 * Whatever goes wrong ends the program with a sentence, for a measurement with
 * faults in it is none.
 */
#ifndef SORTIE_TESTS_BENCH_HTTP_H
#define SORTIE_TESTS_BENCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/buf.h"

struct event_base;
struct http;

/* body is borrowed and NUL-terminated no one knows where: mind len. The next
 * request may be sent from here; http_free may not be called from here. */
typedef void http_done_fn(int status, const char *body, size_t len, void *arg);

/* url: unix:/path, http://address:port or https://address:port with a numeric
 * address; certificates are not checked. token: bearer
 * token or NULL; copied. */
struct http *http_new(struct event_base *base, const char *url,
		      const char *token);
void http_free(struct http *h);
void http_token_set(struct http *h, const char *token);
/* The Idempotency-Key of what is sent from now on: two numbers. */
void http_key_set(struct http *h, long long run, long long number);

/* body NULL: a request without one. All is copied. */
void http_send(struct http *h, const char *method, const char *path,
	       const char *body, size_t len, http_done_fn *done, void *arg);
/* Ends the program unless status is 2xx. what: "submitting" */
void http_expect(const char *what, int status, const char *body, size_t len);

/* The number behind "key": in JSON text that we know the form of; ends the
 * program when there is none. */
long long http_json_int(const char *body, size_t len, const char *key);
/* The text behind "key":" without escapes, into out; ends the program when
 * there is none or it does not fit. */
void http_json_str(const char *body, size_t len, const char *key, char *out,
		   size_t cap);

#endif
