/*
 * HTTP client of all three programs, the only module that includes libcurl:
 * asynchronous calls on a libevent loop (pilot, server's own calls) and
 * blocking ones (commands).  TCP and Unix sockets, TLS with certificate and
 * host name checks.  URLs: http://H:P, https://H:P, unix:/path/to/socket.
 *
 * HTTP/1.1 with keep-alive, at most 64 connections to one server: a parked
 * long poll keeps one to itself.  Redirects are not followed.  libcurl repeats
 * a request by itself when a kept connection turns out dead; here that happens
 * only to GET, HEAD, PUT and DELETE and to requests with an Idempotency-Key:
 * every other one ends with sent = true and the caller decides.
 */
#ifndef SORTIE_LIB_HTTPC_H
#define SORTIE_LIB_HTTPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/err.h"

struct event_base;
struct httpc; /* a pool of connections */
struct httpc_call;

struct httpc_tls {
	const char *ca_file;   /* NULL = the system's */
	const char *cert_file; /* client certificate or NULL */
	const char *key_file;
	bool insecure; /* no checks: only with an explicit option */
};

struct httpc_request {
	const char *method;         /* "GET" ... */
	const char *base;           /* server URL as above */
	const char *path;           /* "/api/v1/jobs?x=y", encoded */
	const char *token;          /* bearer token or NULL */
	const char *content_type;   /* NULL = application/json */
	const char *const *headers; /* further "Name: value", NULL-terminated,
					   or NULL */
	const void *body;           /* copied; NULL = none */
	size_t body_len;
	int64_t timeout_ms;         /* whole call; 0 = 60 s */
	int64_t connect_timeout_ms; /* 0 = 5 s */
	size_t max_reply;           /* bytes; 0 = 64 MiB */
	bool away; /* only to other machines: neither loopback nor link-local
		      addresses, whatever name leads to them */
};

#define HTTPC_RETRY_MAX_S 86400

struct httpc_reply {
	bool ok;      /* an HTTP answer arrived, whatever its status */
	int status;   /* 0 when !ok */
	bool sent;    /* !ok: the request may have reached the server */
	bool refused; /* !ok: nobody listens at the address */
	struct buf body;
	char content_type[128]; /* "" when the answer has none */
	int64_t retry_after_s;  /* 0 = none; at most HTTPC_RETRY_MAX_S */
	struct buf headers;     /* raw header lines */
	struct err err;         /* !ok: why, with the address */
};

typedef void httpc_done_fn(const struct httpc_reply *reply, void *arg);

/* base NULL: only httpc_call_wait may be used. tls may be NULL. Strings are
 * copied. */
struct httpc *httpc_new(struct event_base *base, const struct httpc_tls *tls);
/* Cancels open calls without calling done. */
void httpc_free(struct httpc *c);

/* done is called exactly once, from the loop, never from inside this call;
 * the reply is borrowed. */
struct httpc_call *httpc_start(struct httpc *c, const struct httpc_request *r,
			       httpc_done_fn *done, void *arg);
/* done will not be called; the call is gone. */
void httpc_cancel(struct httpc_call *call);

/* Blocking. The caller ends reply with httpc_reply_fini. on_body, if given,
 * gets the pieces of the body of a 2xx answer as they come (streams; they are
 * not kept, max_reply does not count) and may stop it by false, which leaves
 * reply->ok true; it must not use c. Other answers are collected in reply->body as ever. */
void httpc_call_wait(struct httpc *c, const struct httpc_request *r,
		     struct httpc_reply *reply,
		     bool (*on_body)(const char *p, size_t len, void *arg),
		     void *arg);
void httpc_reply_fini(struct httpc_reply *reply);
/* The value of a header of the reply, trimmed, in out; NULL when it is absent
 * or does not fit. */
const char *httpc_reply_header(const struct httpc_reply *r, const char *name,
			       char *out, size_t cap);
/* Percent-encodes one path or query component. */
void httpc_escape(struct buf *b, const char *s);

#endif
