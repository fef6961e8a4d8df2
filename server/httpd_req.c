/*
 * Makes a struct req of a request's head, hands it to its handler when the
 * body is there, and puts the one reply together.
 */
#include "server/httpd.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "server/httpd_int.h"
#include "server/metrics.h"
#include "server/route.h"
#include "server/server.h"

/* What all bodies together may take: a peer without a token has its body read
 * too, before it is turned away. */
#define BODIES_MAX ((size_t)256 << 20)

static struct arena *arena_borrow(struct httpd *h)
{
	if (h->n_spare > 0)
		return h->spare[--h->n_spare];
	return arena_new();
}

static void req_free(struct httpd *h, struct req *r)
{
	struct httpd_request *q = r->http;
	struct arena *a = r->arena;

	h->body_bytes -= q->body_held;
	buf_fini(&q->body);
	if (h->n_spare == HTTPD_SPARE_ARENAS) {
		arena_free(a);
		return;
	}
	arena_reset(a);
	h->spare[h->n_spare++] = a;
}

void httpd_req_turn(struct httpd *h)
{
	while (h->dead != NULL) {
		struct req *r = h->dead;

		h->dead = r->next;
		req_free(h, r);
	}
}

void httpd_req_drop(struct httpd_request *q)
{
	req_free(q->r->srv->httpd, q->r);
}

void httpd_req_gone(struct httpd_request *q)
{
	struct req *r = q->r;

	if (r->gone || r->replied)
		return;
	r->gone = true;
	metric_add(r->srv->httpd->metric[HTTPD_GONE], 1);
	if (r->on_gone != NULL)
		r->on_gone(r);
}

/* Handlers know HEAD as GET; the reply's body is left out. */
static void set_method(struct req *r)
{
	struct httpd_request *q = r->http;

	q->is_head = strcmp(q->head.method, "HEAD") == 0;
	r->method = q->is_head ? "GET" : q->head.method;
}

bool httpd_req_new(struct conn *c, const char *head, size_t len, struct err *e)
{
	struct arena *a = arena_borrow(c->h);
	struct req *r = ARENA_NEW(a, struct req);
	struct httpd_request *q = ARENA_NEW(a, struct httpd_request);
	bool ok;

	q->r = r;
	q->conn = c;
	r->arena = a;
	r->srv = c->h->srv;
	r->http = q;
	r->body = "";
	r->unix_socket = c->on->unix_socket;
	r->peer_uid = c->uid;
	r->who.owner = "";
	r->who.token_id = "";
	r->started_us = clock_mono_us();
	c->req = q;
	q->head.field = c->h->fields;
	ok = http_head_parse(&q->head, arena_memdup(a, head, len), len, e);
	q->head.field = arena_memdup(a, q->head.field,
				     q->head.n_fields * sizeof(*q->head.field));
	set_method(r);
	r->path = q->head.path;
	c->close = !ok || q->head.close;
	if (!ok)
		return false;
	q->body_max = route_body_max(r->method, r->path);
	return q->head.length <= q->body_max ||
	       err_set(e, ERR_TOO_LARGE, "the body is over %zu bytes",
		       q->body_max);
}

bool httpd_req_hold(struct httpd_request *q, struct err *e)
{
	struct httpd *h = q->r->srv->httpd;

	h->body_bytes += q->body.len - q->body_held;
	q->body_held = q->body.len;
	if (h->body_bytes <= BODIES_MAX)
		return true;
	return err_set(e, ERR_UNAVAILABLE,
		       "too much is being sent to this server at once");
}

void httpd_req_dispatch(struct httpd_request *q)
{
	struct req *r = q->r;
	struct err e = ERR_INIT;

	metric_add(r->srv->httpd->metric[HTTPD_REQUESTS], 1);
	r->body = buf_str(&q->body);
	r->body_len = q->body.len;
	if (q->head.query != NULL &&
	    !req_parse_query(r, q->head.query, &q->vars, &e))
		req_reply_err(r, &e);
	else
		route_dispatch(r);
}

/* What req.c asks for */

const char *httpd_header_get(struct req *r, const char *name)
{
	return http_head_get(&r->http->head, name);
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

/* Replies */

static const char *reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} known[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 307, "Temporary Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].status == status)
			return known[i].reason;
	}
	return "";
}

static void count(struct httpd *h, int status)
{
	if (status >= 500)
		metric_add(h->metric[HTTPD_5XX], 1);
	else if (status >= 400)
		metric_add(h->metric[HTTPD_4XX], 1);
}

/* It is put together once a second. */
static const char *date_line(struct httpd *h)
{
	static const char form[] = "Date: %a, %d %b %Y %H:%M:%S GMT\r\n";
	time_t now = time(NULL);
	struct tm tm;

	if (now != h->date_s && gmtime_r(&now, &tm) != NULL) {
		h->date_s = now;
		strftime(h->date, sizeof(h->date), form, &tm);
	}
	return h->date;
}

static void add_field(struct buf *b, const char *name, const char *value)
{
	buf_adds(b, name);
	buf_add(b, ": ", 2);
	buf_adds(b, value);
	buf_add(b, "\r\n", 2);
}

/* h->out, without the fields of a handler's own and the empty line. */
static struct buf *head_begin(struct httpd *h, int status,
			      const char *content_type, size_t len)
{
	struct buf *b = &h->out;

	buf_reset(b);
	buf_adds(b, "HTTP/1.1 ");
	buf_add_i64(b, status);
	buf_addc(b, ' ');
	buf_adds(b, reason(status));
	buf_add(b, "\r\n", 2);
	buf_adds(b, date_line(h));
	if (content_type != NULL)
		add_field(b, "Content-Type", content_type);
	if (status == 204)
		return b;
	buf_adds(b, "Content-Length: ");
	buf_add_i64(b, (int64_t)len);
	buf_add(b, "\r\n", 2);
	return b;
}

static void head_end(struct buf *b, bool close)
{
	if (close)
		add_field(b, "Connection", "close");
	buf_add(b, "\r\n", 2);
}

void httpd_refuse(struct conn *c, const struct err *e)
{
	int status = err_status(e->code);
	struct buf body = BUF_INIT;
	struct buf *head;

	req_error_body(&body, e, NULL);
	count(c->h, status);
	head = head_begin(c->h, status, "application/json", body.len);
	if (status == 503)
		add_field(head, "Retry-After", "1");
	c->close = true;
	head_end(head, true);
	httpd_conn_reply(c, head, body.data, body.len);
	buf_fini(&body);
}

static void reply(struct req *r, int status, const char *content_type,
		  const void *body, size_t len)
{
	struct httpd_request *q = r->http;
	struct httpd *h = r->srv->httpd;
	struct conn *c = q->conn;
	struct buf *head = head_begin(h, status, content_type, len);

	for (struct httpd_header *x = q->headers; x != NULL; x = x->next)
		add_field(head, x->name, x->value);
	if (h->draining)
		c->close = true;
	head_end(head, c->close);
	httpd_conn_reply(c, head, body, q->is_head ? 0 : len);
}

void httpd_send(struct req *r, int status, const char *content_type,
		const void *body, size_t len)
{
	struct httpd *h = r->srv->httpd;

	if (r->replied)
		BUG("%s %s was replied to twice", r->method, r->path);
	r->replied = true;
	count(h, status);
	if (log_enabled(LOG_DEBUG))
		log_debug("%s %s: %d in %lld us", r->method, r->path, status,
			  (long long)(clock_mono_us() - r->started_us));
	if (r->http->conn != NULL)
		reply(r, status, content_type, body, len);
	r->next = h->dead;
	h->dead = r;
	httpd_turn_soon(h);
}
