/*
 * Calls to the server: where it is, with which token, and what to do while it
 * is away.  A call that may be repeated without harm is repeated, with
 * growing pauses and a note to the person, while the server answers 503 or
 * cannot be reached, for at most --patience.
 */
#ifndef SORTIE_CLIENTS_CALL_H
#define SORTIE_CLIENTS_CALL_H

#include "clients/cli.h"
#include "lib/httpc.h"
#include "lib/json.h"

struct call_request {
	const char *method, *path;
	const char *content_type; /* NULL = JSON */
	const char *accept;       /* NULL = JSON */
	const char *key;          /* Idempotency-Key or NULL */
	const char *body;         /* NULL = none */
	size_t body_len;          /* 0 with a body: its strlen */
	int64_t wait_s;           /* of a long poll, added to the limit */
	bool once;                /* repeating would do harm */
};

struct call_answer {
	int status;
	const char *text; /* the body; in the given arena */
	size_t len;
	struct json_object *doc; /* NULL when the body is not JSON */
};

/* False: no answer, or one that tells of an error; *e has the sentence. */
bool call_send(struct cli *c, struct arena *a, const struct call_request *r,
	       struct call_answer *out, struct err *e) MUST_CHECK;
/* As call_send, but the reply comes whole (headers too) whatever its status;
 * the caller ends it with httpc_reply_fini when true. */
bool call_raw(struct cli *c, const struct call_request *r,
	      struct httpc_reply *reply, struct err *e) MUST_CHECK;
/* The sentence of an error answer; for calls made beside this module. */
bool call_error(struct cli *c, const struct httpc_reply *reply, struct err *e);

/* Short forms; body NULL = none. */
bool call_get(struct cli *c, struct arena *a, const char *path,
	      struct call_answer *out, struct err *e) MUST_CHECK;
bool call_post(struct cli *c, struct arena *a, const char *path,
	       const char *body, struct call_answer *out,
	       struct err *e) MUST_CHECK;

/* Finds address and token; further calls do it by themselves. */
bool call_open(struct cli *c, struct err *e) MUST_CHECK;
void call_close(struct call *call);
/* After call_open. */
const char *call_url(const struct cli *c);
const char *call_token(const struct cli *c);
const struct httpc_tls *call_tls(const struct cli *c);
/* The server runs on this machine (Unix socket or loopback address). */
bool call_is_local(const struct cli *c);

#endif
