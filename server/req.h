/*
 * One HTTP request as handlers see it.  httpd_req.c makes it, route.c fills in
 * the path's variables and the principal, a handler decodes it, starts one
 * piece of work and later replies exactly once.  Everything it allocates comes from its arena and dies with the
 * reply.
 *
 * A handler is two functions: decode-and-send, and reply.  Between them the
 * request is owned by whatever it waits for (a lane, the pool, the park).
 * When the peer goes away meanwhile, `gone` is set and on_gone (if any) is
 * called once; the reply must still be made, and may reach nobody.
 */
#ifndef SORTIE_SERVER_REQ_H
#define SORTIE_SERVER_REQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"

struct server;
struct httpd_request;

enum role {
	ROLE_NONE,
	ROLE_READER,
	ROLE_USER,
	ROLE_ADMIN,
	ROLE_JOIN,
	ROLE_PILOT,
	ROLE_JOB
};

/* Who asks. Strings live in the request's arena. */
struct principal {
	enum role role;
	const char *owner; /* "" for ROLE_NONE */
	int32_t owner_id;
	const char *token_id; /* UUID of a stored token or "" */
	bool everybody; /* join tokens: may take all jobs; readers: see all */
	int32_t *projects; /* ids the token is bound to */
	size_t n_projects; /* 0 = all */
	const char *const *project_names;
	int64_t pilot; /* ROLE_PILOT: number */
	int64_t job;   /* ROLE_JOB: number */
	uint64_t run;  /* ROLE_JOB: run id */
};

/* Who it is where owners take turns (db_owner_set); pilots and jobs, which know
 * no owner, each stand for themselves. */
int64_t req_turn(const struct principal *who);

#define REQ_VARS_MAX 4

struct req {
	struct arena *arena;
	struct server *srv;
	struct httpd_request *http;    /* httpd_req.c's */
	const char *method;            /* "GET" */
	const char *path;              /* raw, without the query */
	const char *var[REQ_VARS_MAX]; /* decoded {name}s of the path */
	size_t n_vars;
	const char *body; /* NUL-terminated copy-free view */
	size_t body_len;
	bool unix_socket; /* came over the Unix socket */
	int peer_uid;     /* of the Unix peer, -1 otherwise */
	struct principal who;
	bool gone;
	bool replied;
	int64_t started_us; /* monotonic */
	void (*on_gone)(struct req *r);
	void *data;       /* the handler's own (arena) */
	struct req *next; /* for whoever owns it now */
};

/* A query variable decoded, or NULL. Unknown ones are refused by route.c when
 * the route lists its variables. */
const char *req_query(struct req *r, const char *name);
bool req_query_i64(struct req *r, const char *name, int64_t min, int64_t max,
		   int64_t def, int64_t *out, struct err *e) MUST_CHECK;
const char *req_header(struct req *r, const char *name);
/* False (415) when the body is declared to be something else than JSON. What
 * `curl -d` says of a body by itself counts as JSON. */
bool req_media_ok(struct req *r, struct err *e) MUST_CHECK;
/* The body as one JSON document; an empty body is refused. */
bool req_json(struct req *r, struct json_object **out,
	      struct err *e) MUST_CHECK;
/* The same, of another arena: it may end before the request. */
bool req_json_in(struct req *r, struct arena *a, struct json_object **out,
		 struct err *e) MUST_CHECK;

/* Replies. Each request gets exactly one (asserted). json is copied. */
void req_reply_json(struct req *r, int status, const char *json, size_t len);
void req_reply_buf(struct req *r, int status, const struct buf *json);
void req_reply_bytes(struct req *r, int status, const char *content_type,
		     const void *p, size_t len);
void req_reply_empty(struct req *r, int status);
/* Adds a header to the coming reply; strings are copied. */
void req_header_add(struct req *r, const char *name, const char *value);
void req_reply_err(struct req *r, const struct err *e);
/* With "detail": an object's JSON text, or NULL. */
void req_reply_err_detail(struct req *r, const struct err *e,
			  const char *detail);
/* 503 with Retry-After. */
void req_reply_busy(struct req *r, const char *why);

#endif
