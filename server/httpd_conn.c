/*
 * The connections of the HTTP server: reading a request off one, whatever
 * pieces it comes in, one request at a time; sending the reply; deadlines for
 * slow peers; and ending.
 *
 * Reading goes on while a request waits, up to a bound, so that a peer's
 * leaving is noticed.  Nothing is freed where callers may still look at it:
 * a dead connection is swept at the end of the turn.
 */
#include "server/httpd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "server/httpd_int.h"
#include "server/listen.h"
#include "server/metrics.h"
#include "server/server.h"
#include "server/tls.h"

/* What is read ahead of the request that is being served. */
#define INPUT_MAX 65536

static const int limit_ms[CONN_N_STATES] = {
	[CONN_IDLE] = 75000,
	[CONN_READING] = 30000,
	[CONN_WRITING] = 120000,
	[CONN_LINGERING] = 2000,
};

static void conn_to(struct conn *c, enum conn_state state)
{
	struct httpd *h = c->h;

	TAILQ_REMOVE(&h->conns[c->state], c, link);
	TAILQ_INSERT_TAIL(&h->conns[state], c, link);
	c->state = state;
	if (limit_ms[state] > 0)
		c->due_ms = clock_mono_ms() + limit_ms[state];
	if (state == CONN_READY || state == CONN_DEAD)
		httpd_turn_soon(h);
}

/* Nothing more is read from it or written to it. */
static void conn_kill(struct conn *c)
{
	struct httpd_request *q = c->req;
	bool waits = c->state == CONN_BUSY;

	if (c->state == CONN_DEAD)
		return;
	conn_to(c, CONN_DEAD);
	bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
	bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	c->req = NULL;
	if (q == NULL)
		return;
	q->conn = NULL;
	if (waits)
		httpd_req_gone(q);
	else
		httpd_req_drop(q);
}

static void conn_free(struct conn *c)
{
	struct httpd *h = c->h;

	TAILQ_REMOVE(&h->conns[c->state], c, link);
	bufferevent_free(c->bev);
	free(c);
	h->n_conns--;
	metric_set(h->metric[HTTPD_CONNECTIONS], (int64_t)h->n_conns);
}

/* Replying */

/* All is said. A peer that still sends would lose the reply with a reset if
 * the socket were closed now. */
static void conn_linger(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	if (c->eof) {
		conn_kill(c);
		return;
	}
	if (c->on->tls != NULL)
		tls_bye(bufferevent_openssl_get_ssl(c->bev));
	shutdown(c->fd, SHUT_WR);
	evbuffer_drain(in, evbuffer_get_length(in));
	conn_to(c, CONN_LINGERING);
}

/* A reply is with the kernel. */
static void conn_replied(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	if (c->close)
		conn_linger(c);
	else if (!c->advancing && (evbuffer_get_length(in) > 0 || c->eof))
		conn_to(c, CONN_READY);
	else
		conn_to(c, CONN_IDLE);
}

/* How many bytes the kernel took at once, which saves waiting for a turn of
 * the loop in which the socket is writable. */
static size_t send_now(struct conn *c, const struct buf *head, const void *body,
		       size_t len)
{
	struct iovec v[2] = { { head->data, head->len },
			      { (void *)(uintptr_t)body, len } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = len > 0 ? 2 : 1 };
	ssize_t n;

	if (c->on->tls != NULL ||
	    evbuffer_get_length(bufferevent_get_output(c->bev)) > 0)
		return 0;
	n = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n < 0 ? 0 : (size_t)n;
}

void httpd_conn_reply(struct conn *c, const struct buf *head, const void *body,
		      size_t len)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	size_t sent = send_now(c, head, body, len);

	c->req = NULL;
	if (sent == head->len + len) {
		conn_replied(c);
		return;
	}
	conn_to(c, CONN_WRITING);
	if (sent < head->len) {
		evbuffer_add(out, head->data + sent, head->len - sent);
		sent = head->len;
	}
	sent -= head->len;
	if (sent < len)
		evbuffer_add(out, (const char *)body + sent, len - sent);
}

/* Reading */

static enum http_got read_head(struct conn *c, struct err *e)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t len = evbuffer_get_length(in), head_len;
	enum http_got got;
	const char *p;

	if (len == 0)
		return HTTP_MORE;
	if (len > HTTP_HEAD_MAX)
		len = HTTP_HEAD_MAX;
	p = (const char *)evbuffer_pullup(in, (ev_ssize_t)len);
	if (p == NULL)
		log_die("no memory for a request");
	got = http_head_scan(&c->scan, p, len, &head_len, e);
	if (got == HTTP_WHOLE) {
		if (!httpd_req_new(c, p, head_len, e))
			got = HTTP_FAULT;
		evbuffer_drain(in, head_len);
		c->scan = (struct http_scan){ 0 };
		c->chunks = (struct http_chunks){ 0 };
	}
	return got;
}

/* Of one contiguous piece of the body. */
static enum http_got read_piece(struct conn *c, const char *p, size_t len,
				size_t *used, struct err *e)
{
	struct httpd_request *q = c->req;

	if (q->head.chunked)
		return http_chunks_take(&c->chunks, p, len, used, &q->body,
					q->body_max, e);
	*used = q->head.length - q->body.len;
	if (*used > len)
		*used = len;
	buf_add(&q->body, p, *used);
	return q->body.len == q->head.length ? HTTP_WHOLE : HTTP_MORE;
}

static enum http_got read_body(struct conn *c, struct err *e)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct httpd_request *q = c->req;
	enum http_got got = HTTP_MORE;
	struct evbuffer_iovec v;
	size_t used;

	if (!q->head.chunked && q->head.length == 0)
		return HTTP_WHOLE;
	while (got == HTTP_MORE && evbuffer_peek(in, -1, NULL, &v, 1) > 0) {
		got = read_piece(c, v.iov_base, v.iov_len, &used, e);
		evbuffer_drain(in, used);
		if (got != HTTP_FAULT && !httpd_req_hold(q, e))
			got = HTTP_FAULT;
	}
	return got;
}

/* Whoever asks whether the body is welcome is told when none of it came. */
static void say_continue(struct conn *c)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

	c->req->head.expects = false;
	if (evbuffer_get_length(bufferevent_get_input(c->bev)) == 0)
		bufferevent_write(c->bev, line, sizeof(line) - 1);
}

static enum http_got read_request(struct conn *c, struct err *e)
{
	enum http_got got = HTTP_WHOLE;

	if (c->req == NULL)
		got = read_head(c, e);
	if (got == HTTP_WHOLE)
		got = read_body(c, e);
	if (got == HTTP_MORE && c->req != NULL && c->req->head.expects)
		say_continue(c);
	return got;
}

/* The request that is being read will not be. */
static void conn_refuse(struct conn *c, const struct err *e)
{
	struct httpd_request *q = c->req;

	c->req = NULL;
	if (q != NULL)
		httpd_req_drop(q);
	httpd_refuse(c, e);
}

static void conn_wait(struct conn *c)
{
	bool fresh = c->req == NULL &&
		     evbuffer_get_length(bufferevent_get_input(c->bev)) == 0;

	if (c->eof)
		conn_kill(c);
	else if (c->state != CONN_READING)
		conn_to(c, fresh ? CONN_IDLE : CONN_READING);
}

/* Reads one request after the other, as far as they have come and are
 * answered at once. */
static void conn_advance(struct conn *c)
{
	enum http_got got = HTTP_WHOLE;
	struct err e = ERR_INIT;

	c->advancing = true;
	while (got == HTTP_WHOLE &&
	       (c->state == CONN_IDLE || c->state == CONN_READING ||
		c->state == CONN_READY)) {
		got = read_request(c, &e);
		if (got == HTTP_FAULT) {
			conn_refuse(c, &e);
		} else if (got == HTTP_MORE) {
			conn_wait(c);
		} else {
			conn_to(c, CONN_BUSY);
			httpd_req_dispatch(c->req);
		}
	}
	c->advancing = false;
}

/* What libevent tells */

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct conn *c = arg;

	if (c->state == CONN_LINGERING)
		evbuffer_drain(in, evbuffer_get_length(in));
	else if (c->state == CONN_IDLE || c->state == CONN_READING)
		conn_advance(c);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	if (c->state == CONN_WRITING)
		conn_replied(c);
}

/* A peer that has sent its last byte may still read, but one whose request
 * waits has more likely left: the request's owner is told so, and the reply is
 * sent all the same. */
static void on_eof(struct conn *c)
{
	c->eof = true;
	if (c->state == CONN_BUSY)
		httpd_req_gone(c->req);
	else if (c->state != CONN_WRITING && c->state != CONN_READY)
		conn_kill(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	if ((what & (BEV_EVENT_ERROR | BEV_EVENT_EOF)) == BEV_EVENT_EOF &&
	    c->on->tls == NULL)
		on_eof(c);
	else if ((what & (BEV_EVENT_ERROR | BEV_EVENT_EOF)) != 0)
		conn_kill(c);
}

static struct bufferevent *bev_new(struct listener *l, int fd)
{
	struct event_base *base = l->h->srv->base;
	struct bufferevent *bev;

	if (l->tls == NULL) {
		bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	} else {
		bev = bufferevent_openssl_socket_new(
			base, fd, tls_accept(l->tls), BUFFEREVENT_SSL_ACCEPTING,
			BEV_OPT_CLOSE_ON_FREE);
		if (bev != NULL)
			bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	}
	if (bev == NULL)
		log_die("no memory for a connection");
	return bev;
}

void httpd_conn_accept(struct evconnlistener *lev, int fd, struct sockaddr *sa,
		       int sa_len, void *arg)
{
	struct listener *l = arg;
	struct httpd *h = l->h;
	struct conn *c = xcalloc(1, sizeof(*c));

	(void)lev;
	(void)sa;
	(void)sa_len;
	c->h = h;
	c->on = l;
	c->fd = fd;
	c->uid = l->unix_socket ? listen_peer_uid(fd) : -1;
	c->bev = bev_new(l, fd);
	c->state = CONN_READING;
	TAILQ_INSERT_TAIL(&h->conns[CONN_READING], c, link);
	c->due_ms = clock_mono_ms() + limit_ms[CONN_READING];
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, INPUT_MAX);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	h->n_conns++;
	metric_set(h->metric[HTTPD_CONNECTIONS], (int64_t)h->n_conns);
	if (h->n_conns >= h->max_conns)
		httpd_listeners_switch(h, false);
}

/* The clock */

static bool conn_silent(const struct conn *c)
{
	return c->req == NULL &&
	       evbuffer_get_length(bufferevent_get_input(c->bev)) == 0;
}

static void conn_late(struct conn *c)
{
	struct err e = ERR_INIT;

	if (c->state != CONN_READING || conn_silent(c)) {
		conn_kill(c);
		return;
	}
	err_set(&e, ERR_REQUEST_TIMEOUT,
		"the request was not whole after %d seconds",
		limit_ms[CONN_READING] / 1000);
	conn_refuse(c, &e);
}

static void kill_silent(struct httpd *h, enum conn_state state)
{
	struct conn *c, *next;

	for (c = TAILQ_FIRST(&h->conns[state]); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (conn_silent(c))
			conn_kill(c);
	}
}

void httpd_conn_tick(struct httpd *h)
{
	int64_t now = clock_mono_ms();
	struct conn *c;

	for (size_t i = 0; i < CONN_N_STATES; i++) {
		while (limit_ms[i] > 0 &&
		       (c = TAILQ_FIRST(&h->conns[i])) != NULL &&
		       c->due_ms <= now)
			conn_late(c);
	}
	if (h->draining) {
		kill_silent(h, CONN_IDLE);
		kill_silent(h, CONN_READING);
	}
}

void httpd_conn_turn(struct httpd *h)
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&h->conns[CONN_READY])) != NULL)
		conn_advance(c);
	while ((c = TAILQ_FIRST(&h->conns[CONN_DEAD])) != NULL)
		conn_free(c);
}

void httpd_conn_free_all(struct httpd *h)
{
	struct conn *c;

	for (size_t i = 0; i < CONN_DEAD; i++) {
		while ((c = TAILQ_FIRST(&h->conns[i])) != NULL)
			conn_kill(c);
	}
	while ((c = TAILQ_FIRST(&h->conns[CONN_DEAD])) != NULL)
		conn_free(c);
}
