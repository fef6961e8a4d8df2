/*
 * Serves HTTP through libevent's evhttp and is strict where evhttp is not:
 * makes a struct req of what arrives, refuses framing that two programs could
 * read in two ways, notices peers that leave while their request waits, and
 * sends the one reply.
 */
#include "server/httpd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "server/httpd_int.h"
#include "server/metrics.h"
#include "server/options.h"
#include "server/route.h"
#include "server/server.h"

#define HEADERS_MAX 16384
#define IDLE_S 75
#define TICK_MS 200
/* A request that waits longer is watched for its peer's leaving. Watching all
 * would cost two system calls for each that is answered at once. */
#define WATCH_AFTER_US 100000

static const struct metric_def metric_defs[HTTPD_N_METRICS] = {
	[HTTPD_CONNECTIONS] = { "sortie_http_connections", NULL, METRIC_GAUGE,
				"Open connections." },
	[HTTPD_REQUESTS] = { "sortie_http_requests_total", NULL, METRIC_COUNTER,
			     "Requests that were read whole." },
	[HTTPD_4XX] = { "sortie_http_errors_total", "class=\"4xx\"",
			METRIC_COUNTER, "Replies that were errors." },
	[HTTPD_5XX] = { "sortie_http_errors_total", "class=\"5xx\"",
			METRIC_COUNTER, "Replies that were errors." },
	[HTTPD_GONE] = { "sortie_http_gone_total", NULL, METRIC_COUNTER,
			 "Requests whose peer left before the reply." },
	[HTTPD_ACCEPT_ERRORS] = { "sortie_http_accept_errors_total", NULL,
				  METRIC_COUNTER,
				  "Connections that could not be accepted." },
};

static struct arena *arena_borrow(struct httpd *h)
{
	if (h->n_spare > 0)
		return h->spare[--h->n_spare];
	return arena_new();
}

static void req_free(struct httpd *h, struct req *r)
{
	struct arena *a = r->arena;

	if (h->n_spare == HTTPD_SPARE_ARENAS) {
		arena_free(a);
		return;
	}
	arena_reset(a);
	h->spare[h->n_spare++] = a;
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct httpd *h = arg;

	(void)fd;
	(void)what;
	httpd_conn_adopt(h);
	while (h->dead != NULL) {
		struct req *r = h->dead;

		h->dead = r->next;
		req_free(h, r);
	}
}

void httpd_request_gone(struct httpd_request *q)
{
	struct req *r = q->r;

	if (r->gone || r->replied)
		return;
	r->gone = true;
	metric_add(r->srv->httpd->metric[HTTPD_GONE], 1);
	if (r->on_gone != NULL)
		r->on_gone(r);
}

static void on_peer_closed(evutil_socket_t fd, short what, void *arg)
{
	struct httpd_request *q = arg;

	(void)fd;
	(void)what;
	event_free(q->closed);
	q->closed = NULL;
	httpd_request_gone(q);
}

/* Never touches whether the bufferevent reads: a second request that came in
 * meanwhile would end the process in evhttp. */
static void watch(struct httpd_request *q)
{
	struct httpd *h = q->r->srv->httpd;

	q->unwatched = false;
	TAILQ_REMOVE(&h->unwatched, q, link);
	if (q->conn == NULL)
		return;
	q->closed = event_new(h->srv->base, q->conn->fd, EV_CLOSED,
			      on_peer_closed, q);
	if (q->closed != NULL)
		event_add(q->closed, NULL);
}

/* What evhttp takes and two readers of one connection could read in two
 * ways. NULL: the framing is sound. */
static const char *framing_fault(struct evkeyvalq *headers)
{
	int lengths = 0, hosts = 0;
	struct evkeyval *kv;

	TAILQ_FOREACH (kv, headers, next) {
		if (kv->key[0] == '\0' || strpbrk(kv->key, " \t") != NULL)
			return "a header's name has a blank in it";
		if (strcasecmp(kv->key, "Transfer-Encoding") == 0)
			return "Transfer-Encoding is not taken: send the body "
			       "with a Content-Length";
		if (strcasecmp(kv->key, "Host") == 0)
			hosts++;
		if (strcasecmp(kv->key, "Content-Length") != 0)
			continue;
		lengths++;
		if (kv->value[0] == '\0' ||
		    kv->value[strspn(kv->value, "0123456789")] != '\0')
			return "Content-Length is not a number";
	}
	if (lengths > 1)
		return "Content-Length is there twice";
	return hosts == 1 ? NULL : "there must be one Host header";
}

static const char *method_name(enum evhttp_cmd_type type)
{
	switch (type) {
	case EVHTTP_REQ_GET:
	case EVHTTP_REQ_HEAD:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_OPTIONS:
		return "OPTIONS";
	case EVHTTP_REQ_TRACE:
		return "TRACE";
	case EVHTTP_REQ_CONNECT:
		return "CONNECT";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	}
	return "?";
}

/* "http://host/path" as proxies write it is taken as "/path". */
static const char *uri_path(const char *uri)
{
	const char *p = strstr(uri, "://");

	if (uri[0] == '/' || p == NULL)
		return uri;
	p = strchr(p + 3, '/');
	return p == NULL ? "/" : p;
}

static bool set_target(struct req *r, struct httpd_request *q, struct err *e)
{
	const char *uri = uri_path(evhttp_request_get_uri(q->ev));
	size_t len = strcspn(uri, "?#");

	r->path = arena_strndup(r->arena, uri, len);
	if (r->path[0] != '/')
		return err_set(e, ERR_BAD_REQUEST,
			       "the request's target is not a path");
	if (uri[len] != '?')
		return true;
	return req_parse_query(r,
			       arena_strndup(r->arena, uri + len + 1,
					     strcspn(uri + len + 1, "#")),
			       &q->vars, e);
}

/* evhttp has the whole body; one more byte makes it a C string in place. */
static void set_body(struct req *r, struct evhttp_request *ev)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(ev);

	r->body = "";
	r->body_len = evbuffer_get_length(in);
	if (r->body_len == 0)
		return;
	evbuffer_add(in, "", 1);
	r->body = (const char *)evbuffer_pullup(in, -1);
	if (r->body == NULL)
		log_die("no memory for a request's body");
}

static struct req *req_new(struct httpd *h, struct conn *c,
			   struct evhttp_request *ev)
{
	struct arena *a = arena_borrow(h);
	struct req *r = ARENA_NEW(a, struct req);
	struct httpd_request *q = ARENA_NEW(a, struct httpd_request);

	r->arena = a;
	r->srv = h->srv;
	r->http = q;
	r->method = method_name(evhttp_request_get_command(ev));
	r->unix_socket = c->on->unix_socket;
	r->peer_uid = c->uid;
	r->who.owner = "";
	r->who.token_id = "";
	r->started_us = clock_mono_us();
	q->r = r;
	q->ev = ev;
	q->conn = c;
	q->head = evhttp_request_get_command(ev) == EVHTTP_REQ_HEAD;
	return r;
}

static void on_request(struct evhttp_request *ev, void *arg)
{
	struct listener *l = arg;
	struct httpd *h = l->h;
	struct conn *c = httpd_conn_of(h, ev);
	struct req *r = req_new(h, c, ev);
	struct httpd_request *q = r->http;
	struct err e = ERR_INIT;
	const char *fault;

	httpd_conn_complete(c);
	c->req = q;
	metric_add(h->metric[HTTPD_REQUESTS], 1);
	q->unwatched = true;
	TAILQ_INSERT_TAIL(&h->unwatched, q, link);
	r->path = "";
	r->body = "";
	fault = framing_fault(evhttp_request_get_input_headers(ev));
	if (fault != NULL) {
		q->refuse = true;
		err_set(&e, ERR_BAD_REQUEST, "%s", fault);
		req_reply_err(r, &e);
		return;
	}
	if (!set_target(r, q, &e)) {
		req_reply_err(r, &e);
		return;
	}
	set_body(r, ev);
	route_dispatch(r);
}

/* What req.c asks for */

const char *httpd_header_get(struct req *r, const char *name)
{
	if (r->http->ev == NULL)
		return NULL;
	return evhttp_find_header(evhttp_request_get_input_headers(r->http->ev),
				  name);
}

struct req_var *httpd_query(struct req *r)
{
	return r->http->vars;
}

void httpd_header_push(struct req *r, const char *name, const char *value)
{
	struct httpd_header *x = ARENA_NEW(r->arena, struct httpd_header);

	x->name = arena_strdup(r->arena, name);
	x->value = arena_strdup(r->arena, value);
	x->next = r->http->headers;
	r->http->headers = x;
}

static void count(struct httpd *h, struct req *r, int status)
{
	if (status >= 500)
		metric_add(h->metric[HTTPD_5XX], 1);
	else if (status >= 400)
		metric_add(h->metric[HTTPD_4XX], 1);
	if (log_enabled(LOG_DEBUG))
		log_debug("%s %s: %d in %lld us", r->method, r->path, status,
			  (long long)(clock_mono_us() - r->started_us));
}

static void fill_headers(struct req *r, struct httpd_request *q, int status,
			 const char *content_type, size_t len)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(q->ev);
	struct httpd_header *x;
	char text[24];

	if (content_type != NULL)
		evhttp_add_header(out, "Content-Type", content_type);
	snprintf(text, sizeof(text), "%zu", len);
	if (status != 204)
		evhttp_add_header(out, "Content-Length", text);
	for (x = q->headers; x != NULL; x = x->next)
		evhttp_add_header(out, x->name, x->value);
	if (q->refuse || r->srv->httpd->draining)
		evhttp_add_header(out, "Connection", "close");
}

void httpd_send(struct req *r, int status, const char *content_type,
		const void *body, size_t len)
{
	struct httpd_request *q = r->http;
	struct httpd *h = r->srv->httpd;

	if (r->replied)
		BUG("%s %s was replied to twice", r->method, r->path);
	r->replied = true;
	count(h, r, status);
	if (q->unwatched) {
		q->unwatched = false;
		TAILQ_REMOVE(&h->unwatched, q, link);
	}
	if (q->closed != NULL)
		event_free(q->closed);
	q->closed = NULL;
	if (q->conn != NULL)
		q->conn->req = NULL;
	if (q->ev != NULL) {
		fill_headers(r, q, status, content_type, len);
		if (len > 0 && !q->head)
			evbuffer_add(evhttp_request_get_output_buffer(q->ev),
				     body, len);
		evhttp_send_reply(q->ev, status, NULL, NULL);
		q->ev = NULL;
	}
	r->body = "";
	r->body_len = 0;
	r->next = h->dead;
	h->dead = r;
	event_active(h->turn, EV_TIMEOUT, 0);
}

/* Its life */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct httpd *h = arg;
	int64_t now_us = clock_mono_us();
	struct httpd_request *q;

	(void)fd;
	(void)what;
	while ((q = TAILQ_FIRST(&h->unwatched)) != NULL &&
	       now_us - q->r->started_us > WATCH_AFTER_US)
		watch(q);
	httpd_conn_tick(h);
}

static size_t connection_bound(int64_t wanted)
{
	struct rlimit lim;
	size_t spare = 128; /* database, files, blobs */

	if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
		return (size_t)wanted;
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	if (lim.rlim_cur != RLIM_INFINITY &&
	    lim.rlim_cur < (rlim_t)wanted + spare) {
		log_info("open files are limited to %llu, so connections to "
			 "%llu",
			 (unsigned long long)lim.rlim_cur,
			 (unsigned long long)lim.rlim_cur - spare);
		return (size_t)(lim.rlim_cur - spare);
	}
	return (size_t)wanted;
}

struct httpd *httpd_new(struct server *srv)
{
	static const struct timeval tick = { 0, TICK_MS * 1000 };
	struct httpd *h = xcalloc(1, sizeof(*h));

	h->srv = srv;
	LIST_INIT(&h->listeners);
	TAILQ_INIT(&h->conns);
	TAILQ_INIT(&h->fresh);
	TAILQ_INIT(&h->due);
	TAILQ_INIT(&h->unwatched);
	h->max_conns = connection_bound(srv->set->max_connections);
	h->metric =
		metrics_register(srv->metrics, metric_defs, HTTPD_N_METRICS);
	if ((event_base_get_features(srv->base) & EV_FEATURE_EARLY_CLOSE) == 0)
		log_die("libevent cannot tell that a peer left: it must use "
			"epoll (see EVENT_NOEPOLL in the environment)");
	h->tick = event_new(srv->base, -1, EV_PERSIST, on_tick, h);
	h->turn = event_new(srv->base, -1, 0, on_turn, h);
	if (h->tick == NULL || h->turn == NULL ||
	    event_add(h->tick, &tick) != 0)
		log_die("no memory for the HTTP server");
	return h;
}

bool httpd_add(struct httpd *h, int fd, bool unix_socket, struct tls *tls,
	       struct err *e)
{
	struct listener *l = xcalloc(1, sizeof(*l));

	l->h = h;
	l->tls = tls;
	l->unix_socket = unix_socket;
	l->http = evhttp_new(h->srv->base);
	if (l->http == NULL)
		log_die("no memory for the HTTP server");
	evhttp_set_max_headers_size(l->http, HEADERS_MAX);
	evhttp_set_max_body_size(l->http, HTTPD_BODY_MAX);
	evhttp_set_timeout(l->http, IDLE_S);
	evhttp_set_flags(l->http, EVHTTP_SERVER_LINGERING_CLOSE);
	evhttp_set_default_content_type(l->http, NULL);
	evhttp_set_allowed_methods(
		l->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
				 EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
				 EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
				 EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	evhttp_set_bevcb(l->http, httpd_conn_accept, l);
	evhttp_set_gencb(l->http, on_request, l);
	l->lev = evconnlistener_new(
		h->srv->base, NULL, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (l->lev == NULL || evhttp_bind_listener(l->http, l->lev) == NULL) {
		evhttp_free(l->http);
		if (l->lev != NULL)
			evconnlistener_free(l->lev);
		else
			close(fd);
		free(l);
		return err_set_errno(e, ERR_IO, "cannot serve a socket");
	}
	evconnlistener_set_error_cb(l->lev, httpd_conn_accept_failed);
	LIST_INSERT_HEAD(&h->listeners, l, link);
	return true;
}

size_t httpd_connections(const struct httpd *h)
{
	return h->n_conns;
}

void httpd_drain(struct httpd *h, int max_ms, void (*drained)(void *arg),
		 void *arg)
{
	httpd_listeners_switch(h, false);
	h->draining = true;
	h->drain_until_ms = clock_mono_ms() + max_ms;
	h->drained = drained;
	h->drained_arg = arg;
}

void httpd_free(struct httpd *h)
{
	struct listener *l;

	if (h == NULL)
		return;
	on_turn(-1, 0, h);
	while ((l = LIST_FIRST(&h->listeners)) != NULL) {
		LIST_REMOVE(l, link);
		evhttp_free(l->http);
		free(l);
	}
	on_turn(-1, 0, h);
	while (h->n_spare > 0)
		arena_free(h->spare[--h->n_spare]);
	event_free(h->tick);
	event_free(h->turn);
	free(h->by_fd);
	free(h);
}
