/*
 * Any bytes on a real connection of the HTTP server, in any pieces, with the
 * peer reading or not, closing half or all of it at any time: the server keeps
 * every promise about requests, and forgets the connection.
 *
 * An input is a row of steps: a byte that says what, and what it needs.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include "lib/arena.h"
#include "lib/log.h"
#include "server/httpd.h"
#include "server/httpd_int.h"
#include "server/metrics.h"
#include "server/options.h"
#include "server/route.h"
#include "server/server.h"

#define WAITING_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct settings set = { .max_connections = 100 };
static struct server srv = { .set = &set };
static struct listener listener;
static struct req *waiting[WAITING_MAX]; /* for an answer by and by */
static size_t n_waiting;

static void answer(struct req *r)
{
	if (r->body_len > 0)
		req_reply_bytes(r, 200, "text/plain", r->body, r->body_len);
	else
		req_reply_json(r, 200, "{}", 2);
}

static void on_gone(struct req *r)
{
	for (size_t i = 0; i < n_waiting; i++) {
		if (waiting[i] != r)
			continue;
		waiting[i] = waiting[--n_waiting];
		req_reply_empty(r, 204);
		return;
	}
	BUG("a request is gone that does not wait");
}

/* In place of route.c: "/w..." waits, "/l..." has a long answer. */

size_t route_body_max(const char *method, const char *path)
{
	return *method == 'P' && path[1] != 's' ? HTTPD_BODY_MAX : 16;
}

void route_dispatch(struct req *r)
{
	static char text[300000];

	if (r->path[0] != '/' || r->body[r->body_len] != '\0')
		BUG("no request: %s", r->path);
	if (r->path[1] == 'w' && n_waiting < WAITING_MAX) {
		waiting[n_waiting++] = r;
		r->on_gone = on_gone;
	} else if (r->path[1] == 'l') {
		req_reply_bytes(r, 200, "text/plain", text, sizeof(text));
	} else {
		answer(r);
	}
}

static void turns(int n)
{
	while (n-- > 0)
		event_base_loop(srv.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void open_server(void)
{
	struct event_config *c;

	if (srv.base != NULL)
		return;
	signal(SIGPIPE, SIG_IGN); /* as serve.c does */
	c = event_config_new();
	event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK);
	srv.base = event_base_new_with_config(c);
	event_config_free(c);
	srv.metrics = metrics_new();
	srv.httpd = httpd_new(&srv);
	listener.h = srv.httpd;
}

static void answer_one(void)
{
	struct req *r;

	if (n_waiting == 0)
		return;
	r = waiting[--n_waiting];
	r->on_gone = NULL;
	answer(r);
}

static void hear(int fd)
{
	char text[65536];

	while (recv(fd, text, sizeof(text), MSG_DONTWAIT) > 0)
		turns(1);
}

/* One step; how much of the input it took. */
static size_t step(int fd, const uint8_t *p, size_t len)
{
	size_t n = p[0] & 0x7f;

	if ((p[0] & 0x80) == 0) {
		if (n >= len)
			n = len - 1;
		(void)!send(fd, p + 1, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		turns(1);
		return n + 1;
	}
	switch (n % 4) {
	case 0:
		shutdown(fd, SHUT_WR);
		break;
	case 1:
		answer_one();
		break;
	case 2:
		hear(fd);
		break;
	default:
		shutdown(fd, SHUT_RD);
		break;
	}
	turns(1);
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd[2];

	open_server();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) != 0)
		log_die("no socket");
	httpd_conn_accept(NULL, fd[1], NULL, 0, &listener);
	while (len > 0) {
		size_t n = step(fd[0], data, len);

		data += n;
		len -= n;
	}
	close(fd[0]);
	for (int i = 0; i < 100 && httpd_connections(srv.httpd) > 0; i++) {
		turns(1);
		answer_one();
	}
	turns(2);
	if (httpd_connections(srv.httpd) != 0 || n_waiting != 0)
		BUG("%zu connections are left, %zu requests wait",
		    httpd_connections(srv.httpd), n_waiting);
	if (srv.httpd->body_bytes != 0)
		BUG("%zu bytes of bodies are still counted",
		    srv.httpd->body_bytes);
	return 0;
}
