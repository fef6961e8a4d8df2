/*
 * The HTTP server as a whole: its listening sockets, its clock, and how it
 * comes to an end.
 */
#include "server/httpd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <unistd.h>
#include <event2/event.h>
#include <event2/listener.h>
#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "server/httpd_int.h"
#include "server/metrics.h"
#include "server/options.h"
#include "server/server.h"

#define TICK_MS 200

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

void httpd_complain(struct httpd *h, const char *what)
{
	int64_t now = clock_mono_ms();

	if (h->complained_ms != 0 && now - h->complained_ms < 60000)
		return;
	h->complained_ms = now;
	log_warn("%s", what);
}

void httpd_turn_soon(struct httpd *h)
{
	event_active(h->turn, EV_TIMEOUT, 0);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct httpd *h = arg;

	(void)fd;
	(void)what;
	httpd_conn_turn(h);
	httpd_req_turn(h);
}

static void drain_check(struct httpd *h)
{
	void (*drained)(void *arg) = h->drained;

	if (!h->draining || drained == NULL)
		return;
	if (h->n_conns > 0 && clock_mono_ms() < h->drain_until_ms)
		return;
	h->drained = NULL;
	drained(h->drained_arg);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct httpd *h = arg;

	(void)fd;
	(void)what;
	httpd_conn_tick(h);
	if (h->paused && h->n_conns < h->max_conns)
		httpd_listeners_switch(h, true);
	else if (h->paused)
		httpd_complain(h, "the connections are used up: new ones wait "
				  "(--max-connections)");
	drain_check(h);
}

/* Without this a full table of files makes the loop spin. */
static void on_accept_failed(struct evconnlistener *lev, void *arg)
{
	struct listener *l = arg;

	(void)lev;
	metric_add(l->h->metric[HTTPD_ACCEPT_ERRORS], 1);
	httpd_complain(l->h,
		       evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
	httpd_listeners_switch(l->h, false);
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
	for (size_t i = 0; i < CONN_N_STATES; i++)
		TAILQ_INIT(&h->conns[i]);
	buf_init(&h->out);
	h->max_conns = connection_bound(srv->set->max_connections);
	h->metric =
		metrics_register(srv->metrics, metric_defs, HTTPD_N_METRICS);
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
	l->lev = evconnlistener_new(
		h->srv->base, httpd_conn_accept, l,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (l->lev == NULL) {
		close(fd);
		free(l);
		return err_set_errno(e, ERR_IO, "cannot serve a socket");
	}
	evconnlistener_set_error_cb(l->lev, on_accept_failed);
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
	while ((l = LIST_FIRST(&h->listeners)) != NULL) {
		LIST_REMOVE(l, link);
		evconnlistener_free(l->lev);
		free(l);
	}
	httpd_conn_free_all(h);
	httpd_req_turn(h);
	while (h->n_spare > 0)
		arena_free(h->spare[--h->n_spare]);
	buf_fini(&h->out);
	event_free(h->tick);
	event_free(h->turn);
	free(h);
}
