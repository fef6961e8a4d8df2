/*
 * What the files of the HTTP server share: httpd.c (its life), httpd_conn.c
 * (connections), httpd_req.c (requests and replies), req.c (what handlers see
 * of them).  Nobody else includes this but route.c, for the query's names.
 */
#ifndef SORTIE_SERVER_HTTPD_INT_H
#define SORTIE_SERVER_HTTPD_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "lib/buf.h"
#include "lib/err.h"
#include "server/http_chunks.h"
#include "server/http_head.h"
#include "server/req.h"

struct bufferevent;
struct event;
struct evconnlistener;
struct metric;
struct sockaddr;
struct tls;

struct req_var {
	const char *name;
	const char *value; /* decoded */
	struct req_var *next;
};

struct httpd_header {
	const char *name;
	const char *value;
	struct httpd_header *next;
};

struct listener {
	struct httpd *h;
	struct evconnlistener *lev;
	struct tls *tls;
	bool unix_socket;
	LIST_ENTRY(listener) link;
};

/* A connection is on the list of its state, which is in the order of the
 * entries' deadlines, because each state has one time limit. */
enum conn_state {
	CONN_IDLE,    /* waits for a request's first byte */
	CONN_READING, /* a request is not whole, or nothing came since accept */
	CONN_BUSY,    /* a request waits for its reply */
	CONN_WRITING, /* a reply is not taken yet */
	CONN_READY,   /* idle, with input that was not looked at */
	CONN_LINGERING, /* all is said; what still comes is thrown away */
	CONN_DEAD,      /* will be freed at the turn's end */
	CONN_N_STATES
};

struct conn {
	struct httpd *h;
	struct listener *on;
	struct bufferevent *bev;
	struct httpd_request *req; /* being read, or waiting for its reply */
	struct http_scan scan;
	struct http_chunks chunks;
	enum conn_state state;
	int fd;
	int uid;
	bool eof;       /* the peer sends no more */
	bool close;     /* after the reply */
	bool advancing; /* conn_advance looks at it */
	int64_t due_ms; /* of its state, where that has a time limit */
	TAILQ_ENTRY(conn) link;
};

struct httpd_request {
	struct req *r;
	struct conn *conn; /* NULL: the connection is gone */
	struct http_head head;
	struct buf body;
	size_t body_max;  /* bytes that its route takes */
	size_t body_held; /* bytes of it that h->body_bytes counts */
	struct httpd_header *headers;
	struct req_var *vars;
	bool is_head;
};

TAILQ_HEAD(conn_list, conn);

enum {
	HTTPD_CONNECTIONS,
	HTTPD_REQUESTS,
	HTTPD_4XX,
	HTTPD_5XX,
	HTTPD_GONE,
	HTTPD_ACCEPT_ERRORS,
	HTTPD_N_METRICS
};

#define HTTPD_SPARE_ARENAS 64

struct httpd {
	struct server *srv;
	LIST_HEAD(, listener) listeners;
	struct conn_list conns[CONN_N_STATES];
	size_t n_conns;
	size_t max_conns;
	size_t body_bytes; /* of all requests */
	bool paused;       /* listeners are off */
	struct event *tick;
	struct event *turn; /* advances and sweeps, at a turn's end */
	struct arena *spare[HTTPD_SPARE_ARENAS];
	size_t n_spare;
	struct req *dead; /* replied; freed at the turn's end */
	struct buf out;   /* a reply's head is put together here */
	struct http_field fields[HTTP_FIELDS_MAX]; /* a request's, at first */
	char date[64]; /* "Date: ...\r\n" of date_s */
	int64_t date_s;
	struct metric **metric;
	int64_t complained_ms;
	bool draining;
	int64_t drain_until_ms;
	void (*drained)(void *arg);
	void *drained_arg;
};

/* httpd.c */

void httpd_listeners_switch(struct httpd *h, bool on);
/* At most once a minute. */
void httpd_complain(struct httpd *h, const char *what);
/* Has httpd_conn_turn and httpd_req_turn called at the end of this turn. */
void httpd_turn_soon(struct httpd *h);

/* httpd_conn.c */

void httpd_conn_accept(struct evconnlistener *lev, int fd, struct sockaddr *sa,
		       int sa_len, void *arg);
/* Sends the bytes of a reply; len 0 for no body. c->close is what happens
 * then. */
void httpd_conn_reply(struct conn *c, const struct buf *head, const void *body,
		      size_t len);
/* Once a turn: pipelined requests, dead connections. */
void httpd_conn_turn(struct httpd *h);
/* Every tick: deadlines, and connections that a drain can do without. */
void httpd_conn_tick(struct httpd *h);
void httpd_conn_free_all(struct httpd *h);

/* httpd_req.c */

/* A request whose head came on a connection: the request belongs to c->req.
 * False: it is refused, with *e. */
bool httpd_req_new(struct conn *c, const char *head, size_t len,
		   struct err *e) MUST_CHECK;
/* Its body grew: false when too much is being sent to this server. */
bool httpd_req_hold(struct httpd_request *q, struct err *e) MUST_CHECK;
/* It is whole: hands it to route_dispatch. */
void httpd_req_dispatch(struct httpd_request *q);
/* Nobody is to be told of it. */
void httpd_req_drop(struct httpd_request *q);
/* The peer has left: tells the request's owner, once. */
void httpd_req_gone(struct httpd_request *q);
/* An error that belongs to no request; the connection ends with it. */
void httpd_refuse(struct conn *c, const struct err *e);
void httpd_req_turn(struct httpd *h);

/* What req.c asks for. */
void httpd_send(struct req *r, int status, const char *content_type,
		const void *body, size_t len);
const char *httpd_header_get(struct req *r, const char *name);
struct req_var *httpd_query(struct req *r);
void httpd_header_push(struct req *r, const char *name, const char *value);

/* req.c */

/* Appends an error as JSON, with "detail" (an object's text) unless NULL. */
void req_error_body(struct buf *b, const struct err *e, const char *detail);
/* Cuts the raw query into decoded variables, in order; refuses bad escapes,
 * NUL, and a name that comes twice. '+' means a blank, as in forms. */
bool req_parse_query(struct req *r, const char *query, struct req_var **out,
		     struct err *e) MUST_CHECK;
/* Decodes %XX into the arena; refuses bad escapes and NUL. plus: '+' becomes
 * a blank. */
bool req_unescape(struct req *r, const char *s, size_t len, bool plus,
		  const char **out, struct err *e) MUST_CHECK;

#endif
