/* The benchmarks' HTTP client, on a libevent bufferevent. */
#include "tests/bench/http.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "lib/arena.h"

#define HEADER_MAX 16384

struct http {
	struct bufferevent *bev;
	char *auth; /* header line or "" */
	char *key;  /* header line or NULL */
	int status; /* of the answer whose body is being read; 0: none yet */
	size_t body_len;
	http_done_fn *done; /* NULL: idle */
	void *arg;
};

static int connect_unix(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(sa.sun_path))
		errx(1, "the socket's path \"%s\" is too long", path);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		err(1, "cannot connect to \"%s\"", path);
	return fd;
}

static int connect_tcp(const char *address)
{
	struct sockaddr_storage sa;
	int len = sizeof(sa), one = 1, fd;

	if (evutil_parse_sockaddr_port(address, (struct sockaddr *)&sa, &len) !=
	    0)
		errx(1, "\"%s\" is not a numeric address with a port", address);
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, (socklen_t)len) != 0)
		err(1, "cannot connect to \"%s\"", address);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static int connect_url(const char *url)
{
	if (strncmp(url, "unix:", 5) == 0)
		return connect_unix(url + 5);
	if (strncmp(url, "http://", 7) == 0)
		return connect_tcp(url + 7);
	if (strncmp(url, "https://", 8) == 0)
		return connect_tcp(url + 8);
	errx(1, "the URL \"%s\" begins with none of unix:, http://, https://",
	     url);
}

/* The value of a header of ours; NULL when absent. head ends in a NUL. */
static const char *header(const char *head, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strstr(head, "\r\n"); p; p = strstr(p + 2, "\r\n"))
		if (strncasecmp(p + 2, name, n) == 0 && p[2 + n] == ':')
			return p + 2 + n + 1;
	return NULL;
}

/* True when a whole head has been taken off the input. */
static bool read_head(struct http *h, struct evbuffer *in)
{
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	char head[HEADER_MAX];
	const char *len;

	if (end.pos < 0)
		return false;
	if (end.pos + 4 >= HEADER_MAX)
		errx(1, "an answer's headers are too long");
	evbuffer_remove(in, head, (size_t)end.pos + 4);
	head[end.pos] = '\0';
	if (sscanf(head, "HTTP/1.1 %d", &h->status) != 1 || h->status < 100)
		errx(1, "not an HTTP answer: %.100s", head);
	len = header(head, "Content-Length");
	if (!len && h->status != 204)
		errx(1, "an answer without Content-Length: %s", head);
	h->body_len = len ? strtoul(len, NULL, 10) : 0;
	return true;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct http *h = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	http_done_fn *done = h->done;
	int status;

	if (!done)
		errx(1, "an answer that nobody asked for");
	if (!h->status && !read_head(h, in))
		return;
	if (evbuffer_get_length(in) < h->body_len)
		return;
	status = h->status;
	h->status = 0;
	h->done = NULL;
	done(status, (const char *)evbuffer_pullup(in, (ev_ssize_t)h->body_len),
	     h->body_len, h->arg);
	evbuffer_drain(in, h->body_len);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)arg;
	if (what & BEV_EVENT_CONNECTED)
		return;
	err(1, "the server closed the connection (%s)",
	    what & BEV_EVENT_EOF ? "end of file" : "error");
}

/* Whoever answers is believed: it is measured, not trusted. */
static struct bufferevent *bev_new(struct event_base *base, int fd, bool tls)
{
	static SSL_CTX *ctx;
	SSL *ssl;

	if (!tls)
		return bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!ctx)
		ctx = SSL_CTX_new(TLS_client_method());
	ssl = ctx ? SSL_new(ctx) : NULL;
	if (!ssl)
		errx(1, "OpenSSL gives no connection");
	return bufferevent_openssl_socket_new(base, fd, ssl,
					      BUFFEREVENT_SSL_CONNECTING,
					      BEV_OPT_CLOSE_ON_FREE);
}

struct http *http_new(struct event_base *base, const char *url,
		      const char *token)
{
	struct http *h = xcalloc(1, sizeof(*h));
	int fd = connect_url(url);

	evutil_make_socket_nonblocking(fd);
	h->bev = bev_new(base, fd, strncmp(url, "https:", 6) == 0);
	bufferevent_setcb(h->bev, on_read, NULL, on_event, h);
	bufferevent_enable(h->bev, EV_READ | EV_WRITE);
	http_token_set(h, token);
	return h;
}

void http_free(struct http *h)
{
	bufferevent_free(h->bev);
	free(h->auth);
	free(h->key);
	free(h);
}

void http_token_set(struct http *h, const char *token)
{
	free(h->auth);
	h->auth = token ? xasprintf("Authorization: Bearer %s\r\n", token)
			: xstrdup("");
}

void http_key_set(struct http *h, long long run, long long number)
{
	free(h->key);
	h->key = xasprintf("Idempotency-Key: %lld-%lld\r\n", run, number);
}

void http_send(struct http *h, const char *method, const char *path,
	       const char *body, size_t len, http_done_fn *done, void *arg)
{
	struct evbuffer *out = bufferevent_get_output(h->bev);

	if (h->done)
		errx(1, "two requests at once on one connection");
	h->done = done;
	h->arg = arg;
	evbuffer_add_printf(out, "%s %s HTTP/1.1\r\nHost: sortie\r\n%s%s",
			    method, path, h->auth, h->key ? h->key : "");
	if (body)
		evbuffer_add_printf(out,
				    "Content-Type: application/json\r\n"
				    "Content-Length: %zu\r\n\r\n",
				    len);
	else
		evbuffer_add(out, "\r\n", 2);
	if (body)
		evbuffer_add(out, body, len);
}

void http_expect(const char *what, int status, const char *body, size_t len)
{
	if (status < 200 || status > 299)
		errx(1, "%s: status %d: %.*s", what, status,
		     len > 1000 ? 1000 : (int)len, body ? body : "");
}

/* Where the value of "key": begins. */
static const char *value(const char *body, size_t len, const char *key)
{
	char *quoted = xasprintf("\"%s\":", key);
	const char *p = memmem(body, len, quoted, strlen(quoted));

	if (!p)
		errx(1, "no %s in the answer: %.*s", quoted,
		     len > 1000 ? 1000 : (int)len, body);
	p += strlen(quoted);
	free(quoted);
	return p;
}

long long http_json_int(const char *body, size_t len, const char *key)
{
	return strtoll(value(body, len, key), NULL, 10);
}

void http_json_str(const char *body, size_t len, const char *key, char *out,
		   size_t cap)
{
	const char *p = value(body, len, key);
	const char *end;
	size_t n;

	end = *p == '"' ? memchr(p + 1, '"', len - (size_t)(p + 1 - body))
			: NULL;
	n = end ? (size_t)(end - p - 1) : 0;
	if (!end || n >= cap)
		errx(1, "%s in the answer is no text of ours: %.*s", key,
		     len > 1000 ? 1000 : (int)len, body);
	memcpy(out, p + 1, n);
	out[n] = '\0';
}
