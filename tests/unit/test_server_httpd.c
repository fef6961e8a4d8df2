/* What the HTTP server refuses, bounds and notices, on a real socket. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <event2/event.h>
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "server/httpd.h"
#include "server/listen.h"
#include "server/metrics.h"
#include "server/options.h"
#include "server/route.h"
#include "server/server.h"
#include "tests/unit/unit.h"

#define DEADLINE_MS 10000
#define HOST "Host: test\r\n"
#define CONNECTIONS 3

static struct server srv;
static struct settings set = { .max_connections = CONNECTIONS };
static struct arena *arena;
static const char *path;
static struct req *waiting; /* the request for /wait */
static int n_gone;
static bool drained;

static void on_gone(struct req *r)
{
	n_gone++;
	waiting = NULL;
	req_reply_empty(r, 204);
}

/* Instead of route.c. */
size_t route_body_max(const char *method, const char *target)
{
	(void)method;
	(void)target;
	return HTTPD_BODY_MAX;
}

/* Instead of route.c: /wait waits, the rest is sent back. */
void route_dispatch(struct req *r)
{
	const char *q = req_query(r, "q");

	if (strcmp(r->path, "/wait") == 0) {
		r->on_gone = on_gone;
		waiting = r;
	} else if (q != NULL) {
		req_reply_bytes(r, 200, "text/plain", q, strlen(q));
	} else {
		req_reply_bytes(r, 200, "text/plain", r->body, r->body_len);
	}
}

static void turn(void)
{
	event_base_loop(srv.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static int dial(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	memcpy(un.sun_path, path, strlen(path) + 1);
	REQUIRE(connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0);
	return fd;
}

static void say(int fd, const char *text, size_t len)
{
	int64_t until = clock_mono_ms() + DEADLINE_MS;

	while (len > 0 && clock_mono_ms() < until) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
		turn();
	}
}

static void says(int fd, const char *text)
{
	say(fd, text, strlen(text));
}

/* Reads until want stands in what came, or the end. True: it ended. */
static bool hear(int fd, struct buf *b, const char *want)
{
	int64_t until = clock_mono_ms() + DEADLINE_MS;
	char text[65536];

	while (clock_mono_ms() < until) {
		ssize_t n;

		turn();
		n = recv(fd, text, sizeof(text), 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return true;
		if (n > 0)
			buf_add(b, text, (size_t)n);
		if (want != NULL && strstr(buf_str(b), want) != NULL)
			return false;
	}
	return false;
}

static void open_server(void)
{
	struct listen_addr addr;
	struct listen_socket *sockets;
	struct err e = ERR_INIT;
	char *text;
	size_t n;

	arena = arena_new();
	memset(&srv, 0, sizeof(srv));
	srv.base = event_base_new();
	srv.set = &set;
	srv.metrics = metrics_new();
	srv.httpd = httpd_new(&srv);
	path = unit_path("socket");
	unlink(path);
	text = arena_printf(arena, "unix:%s", path);
	CHECK_OK(listen_parse(arena, text, &addr, &e), e);
	CHECK_OK(listen_open(arena, &addr, NULL, &sockets, &n, &e), e);
	REQUIRE(n == 1);
	CHECK_OK(httpd_add(srv.httpd, sockets[0].fd, true, NULL, &e), e);
	waiting = NULL;
	n_gone = 0;
	drained = false;
}

static void close_server(void)
{
	httpd_free(srv.httpd);
	metrics_free(srv.metrics);
	event_base_free(srv.base);
	arena_free(arena);
}

/* One request on a connection of its own: it is refused with part, and the
 * connection ends. */
static void refuses(const char *request, const char *part)
{
	struct buf b = BUF_INIT;
	int fd;

	open_server();
	fd = dial();
	says(fd, request);
	CHECK_TRUE(hear(fd, &b, NULL));
	CHECK_CONTAINS(buf_str(&b), "HTTP/1.1 400 ");
	CHECK_CONTAINS(buf_str(&b), part);
	close(fd);
	buf_fini(&b);
	close_server();
}

static void what_is_not_http_is_refused_in_json(void)
{
	refuses("POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
		"Content-Length: 3\r\n\r\nabc",
		"twice");
	refuses("hello\r\n\r\n", "{\"error\":{\"code\":\"bad_request\",");
	refuses("GET /x HTTP/1.1\nHost: x\n\n", "\r\nConnection: close\r\n");
}

/* One request, whose answer has part. */
static void answers(const char *request, const char *part)
{
	struct buf b = BUF_INIT;
	int fd;

	open_server();
	fd = dial();
	says(fd, request);
	CHECK_FALSE(hear(fd, &b, part));
	CHECK_CONTAINS(buf_str(&b), part);
	close(fd);
	buf_fini(&b);
	close_server();
}

static void queries_are_decoded(void)
{
	answers("GET /x?%71=a%2Bb+c%26 HTTP/1.1\r\n" HOST "\r\n",
		"\r\n\r\na+b c&");
	answers("GET /x?q=1&q=2 HTTP/1.1\r\n" HOST "\r\n", "twice");
	answers("GET /x?q=%0 HTTP/1.1\r\n" HOST "\r\n", "hexadecimal");
	answers("GET /x?q=%00 HTTP/1.1\r\n" HOST "\r\n", "NUL");
	answers("GET /x?q=%ff HTTP/1.1\r\n" HOST "\r\n", "UTF-8");
	answers("GET /x?=1 HTTP/1.1\r\n" HOST "\r\n", "without a name");
	answers("GET /x?flag&q=z HTTP/1.1\r\n" HOST "\r\n", "\r\n\r\nz");
}

/* However its bytes come. */
static void a_body_may_come_in_chunks(void)
{
	static const char request[] =
		"POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
		"\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nA: b\r\n\r\n"
		"GET /x?q=next HTTP/1.1\r\n" HOST "\r\n";
	struct buf b = BUF_INIT;
	int fd;

	answers(request, "\r\n\r\nabcdefg");
	open_server();
	fd = dial();
	for (size_t i = 0; i < sizeof(request) - 1; i++) {
		say(fd, request + i, 1);
		turn();
	}
	CHECK_FALSE(hear(fd, &b, "next"));
	CHECK_CONTAINS(buf_str(&b), "\r\n\r\nabcdefg");
	close(fd);
	buf_fini(&b);
	close_server();
}

static void who_asks_is_told_to_send_the_body(void)
{
	struct buf b = BUF_INIT;
	int fd;

	open_server();
	fd = dial();
	says(fd, "PUT /x HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
		 "Content-Length: 3\r\n\r\n");
	CHECK_FALSE(hear(fd, &b, "\r\n\r\n"));
	CHECK_STR_EQ(buf_str(&b), "HTTP/1.1 100 Continue\r\n\r\n");
	says(fd, "abc");
	CHECK_FALSE(hear(fd, &b, "abc"));
	CHECK_CONTAINS(buf_str(&b), "HTTP/1.1 200 OK\r\n");
	close(fd);
	buf_fini(&b);
	close_server();
}

/* It has closed its sending side, and still reads. */
static void half_a_connection_is_enough_for_an_answer(void)
{
	struct buf b = BUF_INIT;
	int fd;

	open_server();
	fd = dial();
	says(fd, "GET /x?q=one HTTP/1.1\r\n" HOST "\r\n"
		 "GET /x?q=two HTTP/1.1\r\n" HOST "\r\n"
		 "GET /x?q=thr");
	shutdown(fd, SHUT_WR);
	CHECK_TRUE(hear(fd, &b, NULL));
	CHECK_CONTAINS(buf_str(&b), "\r\n\r\none");
	CHECK_CONTAINS(buf_str(&b), "\r\n\r\ntwo");
	CHECK_UINT_EQ(httpd_connections(srv.httpd), 0);
	close(fd);
	buf_fini(&b);
	close_server();
}

/* The reply is not lost to a reset, although more comes than is read. */
static void a_refusal_reaches_who_still_sends(void)
{
	size_t len = 4 * HTTPD_BODY_MAX;
	char *body = xcalloc(1, len);
	struct buf b = BUF_INIT;
	int fd;

	open_server();
	fd = dial();
	says(fd, "PUT /x HTTP/1.1\r\n" HOST "Content-Length: 4194304\r\n\r\n");
	say(fd, body, len);
	CHECK_TRUE(hear(fd, &b, "\r\n\r\n") || b.len > 0);
	CHECK_CONTAINS(buf_str(&b), "HTTP/1.1 413 ");
	CHECK_CONTAINS(buf_str(&b), "\"too_large\"");
	close(fd);
	buf_fini(&b);
	free(body);
	close_server();
}

/* A reply larger than the socket's buffers waits for its reader, and so does
 * the next request. */
static void pipelined_requests_are_answered_in_order(void)
{
	char *q = xmalloc(15001), *want;
	struct buf b = BUF_INIT, ask = BUF_INIT;
	int fd;

	memset(q, 'q', 15000);
	q[15000] = '\0';
	for (int i = 0; i < 100; i++)
		buf_addf(&ask, "GET /x?q=%s%d. HTTP/1.1\r\n" HOST "\r\n", q, i);
	open_server();
	fd = dial();
	for (size_t at = 0; at < ask.len;) {
		ssize_t n = send(fd, ask.data + at, ask.len - at, MSG_NOSIGNAL);

		at += n > 0 ? (size_t)n : 0;
		if (n <= 0)
			hear(fd, &b, "qqq");
		turn();
	}
	CHECK_FALSE(hear(fd, &b, "q99."));
	want = b.data;
	for (int i = 0; i < 100 && want != NULL; i++) {
		char end[16];

		snprintf(end, sizeof(end), "q%d.", i);
		want = strstr(want, end);
		CHECK_NOT_NULL(want);
	}
	close(fd);
	free(q);
	buf_fini(&b);
	buf_fini(&ask);
	close_server();
}

static void head_has_a_length_and_no_body(void)
{
	struct buf b = BUF_INIT;
	int fd;

	open_server();
	fd = dial();
	says(fd, "HEAD /x?q=12345 HTTP/1.1\r\n" HOST "\r\n"
		 "GET /x?q=next HTTP/1.1\r\n" HOST "\r\n");
	CHECK_FALSE(hear(fd, &b, "next"));
	CHECK_CONTAINS(buf_str(&b), "Content-Length: 5\r\n");
	CHECK_NULL(strstr(buf_str(&b), "12345"));
	close(fd);
	buf_fini(&b);
	close_server();
}

static void a_body_of_one_mebibyte_is_taken_whole(void)
{
	size_t len = HTTPD_BODY_MAX;
	char *body = xmalloc(len + 1);
	struct buf b = BUF_INIT;
	const char *got;
	int fd;

	memset(body, 'x', len);
	body[len - 1] = '!';
	body[len] = '\0';
	open_server();
	fd = dial();
	says(fd, "PUT /x HTTP/1.1\r\n" HOST "Content-Length: 1048576\r\n\r\n");
	say(fd, body, len);
	CHECK_FALSE(hear(fd, &b, "!"));
	got = strstr(buf_str(&b), "\r\n\r\n");
	CHECK_NOT_NULL(got);
	CHECK_UINT_EQ(got == NULL ? 0 : strlen(got + 4), len);
	close(fd);
	buf_reset(&b);
	fd = dial();
	says(fd, "PUT /x HTTP/1.1\r\n" HOST "Content-Length: 1048577\r\n\r\n");
	CHECK_FALSE(hear(fd, &b, "413"));
	close(fd);
	buf_fini(&b);
	free(body);
	close_server();
}

static void await_waiting(void)
{
	int64_t until = clock_mono_ms() + DEADLINE_MS;

	while (waiting == NULL && clock_mono_ms() < until)
		turn();
	REQUIRE(waiting != NULL);
}

static void a_request_behind_one_that_waits_is_answered_after_it(void)
{
	struct buf b = BUF_INIT;
	int fd;

	open_server();
	fd = dial();
	says(fd, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
	await_waiting();
	says(fd, "GET /x?q=second HTTP/1.1\r\n" HOST "\r\n");
	for (int i = 0; i < 20; i++)
		turn();
	req_reply_json(waiting, 200, "\"first\"", 7);
	CHECK_FALSE(hear(fd, &b, "second"));
	CHECK_CONTAINS(buf_str(&b), "\"first\"");
	CHECK_INT_EQ(n_gone, 0);
	close(fd);
	buf_fini(&b);
	close_server();
}

static void a_peer_that_leaves_is_noticed_while_its_request_waits(void)
{
	int64_t until = clock_mono_ms() + DEADLINE_MS;
	int fd;

	open_server();
	fd = dial();
	says(fd, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
	await_waiting();
	close(fd);
	while (n_gone == 0 && clock_mono_ms() < until)
		turn();
	CHECK_INT_EQ(n_gone, 1);
	close_server();
}

static void connections_beyond_the_bound_wait(void)
{
	int fd[CONNECTIONS + 1];
	struct buf b = BUF_INIT;
	char text[64];

	open_server();
	for (int i = 0; i < CONNECTIONS; i++) {
		fd[i] = dial();
		says(fd[i], "GET /x?q=served HTTP/1.1\r\n" HOST "\r\n");
		CHECK_FALSE(hear(fd[i], &b, "served"));
		buf_reset(&b);
	}
	fd[CONNECTIONS] = dial();
	says(fd[CONNECTIONS], "GET /x?q=late HTTP/1.1\r\n" HOST "\r\n");
	for (int i = 0; i < 50; i++)
		turn();
	CHECK_INT_EQ(recv(fd[CONNECTIONS], text, sizeof(text), 0), -1);
	CHECK_UINT_EQ(httpd_connections(srv.httpd), CONNECTIONS);
	close(fd[0]);
	CHECK_FALSE(hear(fd[CONNECTIONS], &b, "late"));
	for (int i = 1; i <= CONNECTIONS; i++)
		close(fd[i]);
	buf_fini(&b);
	close_server();
}

static void on_drained(void *arg)
{
	(void)arg;
	drained = true;
}

static void a_drain_ends_when_what_waits_is_answered(void)
{
	int64_t until = clock_mono_ms() + DEADLINE_MS;
	struct buf b = BUF_INIT;
	int idle, busy;

	open_server();
	idle = dial();
	says(idle, "GET /x?q=idle HTTP/1.1\r\n" HOST "\r\n");
	CHECK_FALSE(hear(idle, &b, "idle"));
	busy = dial();
	says(busy, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
	await_waiting();
	httpd_drain(srv.httpd, 2 * DEADLINE_MS, on_drained, NULL);
	CHECK_TRUE(hear(idle, &b, NULL));
	CHECK_FALSE(drained);
	req_reply_json(waiting, 200, "\"last\"", 6);
	buf_reset(&b);
	CHECK_TRUE(hear(busy, &b, NULL));
	CHECK_CONTAINS(buf_str(&b), "Connection: close");
	CHECK_CONTAINS(buf_str(&b), "\"last\"");
	while (!drained && clock_mono_ms() < until)
		turn();
	CHECK_TRUE(drained);
	close(idle);
	close(busy);
	buf_fini(&b);
	close_server();
}

static const struct unit_test tests[] = {
	{ "what is not HTTP is refused in JSON",
	  what_is_not_http_is_refused_in_json },
	{ "a body may come in chunks", a_body_may_come_in_chunks },
	{ "who asks is told to send the body",
	  who_asks_is_told_to_send_the_body },
	{ "half a connection is enough for an answer",
	  half_a_connection_is_enough_for_an_answer },
	{ "a refusal reaches who still sends",
	  a_refusal_reaches_who_still_sends },
	{ "pipelined requests are answered in order",
	  pipelined_requests_are_answered_in_order },
	{ "queries are decoded", queries_are_decoded },
	{ "HEAD has a length and no body", head_has_a_length_and_no_body },
	{ "a body of one mebibyte is taken whole",
	  a_body_of_one_mebibyte_is_taken_whole },
	{ "a request behind one that waits is answered after it",
	  a_request_behind_one_that_waits_is_answered_after_it },
	{ "a peer that leaves is noticed while its request waits",
	  a_peer_that_leaves_is_noticed_while_its_request_waits },
	{ "connections beyond the bound wait",
	  connections_beyond_the_bound_wait },
	{ "a drain ends when what waits is answered",
	  a_drain_ends_when_what_waits_is_answered },
};

int main(void)
{
	return unit_main("server_httpd", tests, UNIT_N(tests));
}
