/*
 * The connections of the HTTP server: what evhttp does not do for them, which
 * is to count and bound them, to give slow senders a deadline, and to tell
 * when one ends.
 *
 * evhttp tells nobody about a new connection before its first request, so the
 * bufferevent callback puts a conn on the fresh list; in the same turn of the
 * loop adopt learns the evhttp_connection from the bufferevent's callback
 * argument and asks to be told of its end.  Connections are never freed here:
 * they are shut down, and evhttp sees the end of file.
 */
#include "server/httpd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "server/httpd_int.h"
#include "server/listen.h"
#include "server/metrics.h"
#include "server/tls.h"

#define COMPLETE_MS 30000 /* from the first byte to the whole request */

void httpd_listeners_switch(struct httpd *h, bool on)
{
	struct listener *l;

	if (h->paused == !on || h->draining)
		return;
	h->paused = !on;
	LIST_FOREACH (l, &h->listeners, link) {
		if (on)
			evconnlistener_enable(l->lev);
		else
			evconnlistener_disable(l->lev);
	}
}

static void due_set(struct conn *c)
{
	if (c->due)
		return;
	c->due = true;
	c->due_ms = clock_mono_ms() + COMPLETE_MS;
	TAILQ_INSERT_TAIL(&c->h->due, c, due_link);
}

static void due_clear(struct conn *c)
{
	if (!c->due)
		return;
	c->due = false;
	TAILQ_REMOVE(&c->h->due, c, due_link);
}

static void conn_shutdown(struct conn *c)
{
	if (c->fd >= 0)
		shutdown(c->fd, SHUT_RDWR);
}

static void conn_forget(struct conn *c)
{
	struct httpd *h = c->h;

	due_clear(c);
	if (c->fd >= 0 && (size_t)c->fd < h->by_fd_cap &&
	    h->by_fd[c->fd].conn == c)
		h->by_fd[c->fd].conn = NULL;
	h->n_conns--;
	metric_set(h->metric[HTTPD_CONNECTIONS], (int64_t)h->n_conns);
	free(c);
}

/* evhttp frees the connection after this, and its request unless it has taken
 * the connection away from it, in which case the request is ours. */
static void on_conn_closed(struct evhttp_connection *evcon, void *arg)
{
	struct conn *c = arg;
	struct httpd_request *q = c->req;

	(void)evcon;
	if (q != NULL) {
		q->conn = NULL;
		if (evhttp_request_get_connection(q->ev) != NULL)
			q->ev = NULL;
		if (q->closed != NULL)
			event_free(q->closed);
		q->closed = NULL;
		httpd_request_gone(q);
	}
	TAILQ_REMOVE(&c->h->conns, c, link);
	conn_forget(c);
}

/* The first bytes of a further request start its clock. */
static void on_input(struct evbuffer *b, const struct evbuffer_cb_info *info,
		     void *arg)
{
	struct conn *c = arg;

	(void)b;
	if (info->n_added > 0 && c->req == NULL)
		due_set(c);
}

struct bufferevent *httpd_conn_accept(struct event_base *base, void *arg)
{
	struct listener *l = arg;
	struct httpd *h = l->h;
	struct conn *c = xcalloc(1, sizeof(*c));

	c->h = h;
	c->on = l;
	c->fd = -1;
	c->uid = -1;
	if (l->tls != NULL) {
		c->bev = bufferevent_openssl_socket_new(
			base, -1, tls_accept(l->tls), BUFFEREVENT_SSL_ACCEPTING,
			BEV_OPT_CLOSE_ON_FREE);
		if (c->bev != NULL)
			bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
	} else {
		c->bev =
			bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	}
	/* Given NULL evhttp would serve plain HTTP on a TLS socket. */
	if (c->bev == NULL)
		log_die("no memory for a connection");
	bufferevent_incref(c->bev);
	TAILQ_INSERT_TAIL(&h->fresh, c, link);
	h->n_conns++;
	if (h->n_conns >= h->max_conns)
		httpd_listeners_switch(h, false);
	event_active(h->turn, EV_TIMEOUT, 0);
	return c->bev;
}

static void by_fd_put(struct httpd *h, struct conn *c)
{
	size_t fd = (size_t)c->fd;

	if (fd >= h->by_fd_cap) {
		size_t cap = h->by_fd_cap == 0 ? 256 : h->by_fd_cap;

		while (cap <= fd)
			cap *= 2;
		h->by_fd = xrealloc(h->by_fd, cap * sizeof(*h->by_fd));
		memset(h->by_fd + h->by_fd_cap, 0,
		       (cap - h->by_fd_cap) * sizeof(*h->by_fd));
		h->by_fd_cap = cap;
	}
	h->by_fd[fd].conn = c;
}

static void adopt(struct httpd *h, struct conn *c)
{
	bufferevent_data_cb read_cb, write_cb;
	bufferevent_event_cb event_cb;
	void *evcon = NULL;

	bufferevent_getcb(c->bev, &read_cb, &write_cb, &event_cb, &evcon);
	c->fd = evcon == NULL ? -1 : (int)bufferevent_getfd(c->bev);
	if (evcon == NULL || c->fd < 0) {
		bufferevent_decref(c->bev);
		conn_forget(c);
		return;
	}
	c->evcon = evcon;
	evhttp_connection_set_closecb(c->evcon, on_conn_closed, c);
	evbuffer_add_cb(bufferevent_get_input(c->bev), on_input, c);
	bufferevent_decref(c->bev);
	if (c->on->unix_socket)
		c->uid = listen_peer_uid(c->fd);
	by_fd_put(h, c);
	TAILQ_INSERT_TAIL(&h->conns, c, link);
	due_set(c);
	metric_set(h->metric[HTTPD_CONNECTIONS], (int64_t)h->n_conns);
	if (h->draining)
		conn_shutdown(c);
}

void httpd_conn_adopt(struct httpd *h)
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&h->fresh)) != NULL) {
		TAILQ_REMOVE(&h->fresh, c, link);
		adopt(h, c);
	}
}

struct conn *httpd_conn_of(struct httpd *h, struct evhttp_request *ev)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(ev);
	struct conn *c = NULL;
	evutil_socket_t fd = -1;

	if (evcon != NULL)
		fd = bufferevent_getfd(
			evhttp_connection_get_bufferevent(evcon));
	if (fd >= 0 && (size_t)fd < h->by_fd_cap)
		c = h->by_fd[fd].conn;
	if (c == NULL || c->evcon != evcon)
		BUG("a request came on a connection nobody knows");
	return c;
}

void httpd_conn_complete(struct conn *c)
{
	due_clear(c);
}

/* The clock */

static void complain(struct httpd *h, const char *what)
{
	int64_t now = clock_mono_ms();

	if (h->complained_ms != 0 && now - h->complained_ms < 60000)
		return;
	h->complained_ms = now;
	log_warn("%s", what);
}

/* Nothing of a request was read, and no reply is still being written. */
static bool conn_idle(const struct conn *c)
{
	return c->req == NULL &&
	       evbuffer_get_length(bufferevent_get_input(c->bev)) == 0 &&
	       evbuffer_get_length(bufferevent_get_output(c->bev)) == 0;
}

static void drain_check(struct httpd *h)
{
	void (*drained)(void *arg) = h->drained;
	struct conn *c;

	if (!h->draining || drained == NULL)
		return;
	TAILQ_FOREACH (c, &h->conns, link) {
		if (conn_idle(c))
			conn_shutdown(c);
	}
	if (h->n_conns > 0 && clock_mono_ms() < h->drain_until_ms)
		return;
	h->drained = NULL;
	drained(h->drained_arg);
}

void httpd_conn_tick(struct httpd *h)
{
	int64_t now = clock_mono_ms();
	struct conn *c;

	while ((c = TAILQ_FIRST(&h->due)) != NULL && c->due_ms <= now) {
		due_clear(c);
		conn_shutdown(c);
	}
	if (h->paused && h->n_conns < h->max_conns)
		httpd_listeners_switch(h, true);
	else if (h->paused)
		complain(h, "the connections are used up: new ones wait "
			    "(--max-connections)");
	drain_check(h);
}

/* Without this a full table of files makes the loop spin. */
void httpd_conn_accept_failed(struct evconnlistener *lev, void *arg)
{
	struct httpd *h = arg;

	(void)lev;
	metric_add(h->metric[HTTPD_ACCEPT_ERRORS], 1);
	complain(h, evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
	httpd_listeners_switch(h, false);
}
