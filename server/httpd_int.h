/*
 * What httpd.c (requests), httpd_conn.c (connections) and req.c share.  Nobody
 * else includes this, and nobody else knows evhttp.
 */
#ifndef SORTIE_SERVER_HTTPD_INT_H
#define SORTIE_SERVER_HTTPD_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "lib/err.h"
#include "server/req.h"

struct bufferevent;
struct event;
struct event_base;
struct evhttp;
struct evhttp_connection;
struct evhttp_request;
struct evconnlistener;
struct metric;
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
	struct evhttp *http;
	struct evconnlistener *lev;
	struct tls *tls;
	bool unix_socket;
	LIST_ENTRY(listener) link;
};

struct conn {
	struct httpd *h;
	struct listener *on;
	struct bufferevent *bev;
	struct evhttp_connection *evcon;
	struct httpd_request *req; /* the one that waits for its reply */
	int fd;
	int uid;
	bool due; /* is on h->due */
	int64_t due_ms;
	TAILQ_ENTRY(conn) due_link;
	TAILQ_ENTRY(conn) link; /* on h->conns or h->fresh */
};

struct conn_slot {
	struct conn *conn;
};

struct httpd_request {
	struct req *r;
	struct evhttp_request *ev; /* NULL: evhttp has freed it */
	struct conn *conn;         /* NULL: the connection is gone */
	struct event *closed;      /* watches the peer, or NULL */
	struct httpd_header *headers;
	struct req_var *vars;
	bool head;
	bool refuse;    /* close after the reply */
	bool unwatched; /* is on h->unwatched */
	TAILQ_ENTRY(httpd_request) link;
};

TAILQ_HEAD(conn_list, conn);
TAILQ_HEAD(request_list, httpd_request);

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
	struct conn_list conns;
	struct conn_list fresh;
	struct conn_list due;          /* ordered by due_ms */
	struct request_list unwatched; /* ordered by start */
	struct conn_slot *by_fd;
	size_t by_fd_cap;
	size_t n_conns;
	size_t max_conns;
	bool paused; /* listeners are off */
	struct event *tick;
	struct event *turn; /* adopts and sweeps, once a turn */
	struct arena *spare[HTTPD_SPARE_ARENAS];
	size_t n_spare;
	struct req *dead; /* replied; freed at the turn's end */
	struct metric **metric;
	int64_t complained_ms;
	bool draining;
	int64_t drain_until_ms;
	void (*drained)(void *arg);
	void *drained_arg;
};

/* httpd_conn.c */

/* evhttp's callback for the bufferevent of a new connection; arg: listener. */
struct bufferevent *httpd_conn_accept(struct event_base *base, void *arg);
/* Once a turn: makes fresh connections known. */
void httpd_conn_adopt(struct httpd *h);
/* The connection that a request came on. */
struct conn *httpd_conn_of(struct httpd *h, struct evhttp_request *ev);
/* Its request is whole: the clock stops. */
void httpd_conn_complete(struct conn *c);
/* Every tick: late senders, the bound on connections, the end of a drain. */
void httpd_conn_tick(struct httpd *h);
void httpd_conn_accept_failed(struct evconnlistener *lev, void *arg);
void httpd_listeners_switch(struct httpd *h, bool on);

/* httpd.c */

/* The peer has left: tells the request's owner, once. */
void httpd_request_gone(struct httpd_request *q);
/* What req.c asks for. */
void httpd_send(struct req *r, int status, const char *content_type,
		const void *body, size_t len);
const char *httpd_header_get(struct req *r, const char *name);
struct req_var *httpd_query(struct req *r);
void httpd_header_push(struct req *r, const char *name, const char *value);

/* req.c */

/* Cuts the raw query into decoded variables, in order; refuses bad escapes,
 * NUL, and a name that comes twice. '+' means a blank, as in forms. */
bool req_parse_query(struct req *r, const char *query, struct req_var **out,
		     struct err *e) MUST_CHECK;
/* Decodes %XX into the arena; refuses bad escapes and NUL. plus: '+' becomes
 * a blank. */
bool req_unescape(struct req *r, const char *s, size_t len, bool plus,
		  const char **out, struct err *e) MUST_CHECK;

#endif
