/*
 * Any bytes as what arrives on a connection: the requests in them, and where
 * they end, do not depend on how the bytes are cut, and what was taken is
 * taken again when it is written in the plainest form.
 */
#include <inttypes.h>
#include <string.h>
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "server/http_chunks.h"
#include "server/http_head.h"

#define BODY_MAX 4096
#define REQUESTS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A connection's reading side, as in httpd_conn.c. */
struct peer {
	struct buf in;
	struct http_scan scan;
	struct http_chunks chunks;
	struct http_head head;
	struct http_field fields[HTTP_FIELDS_MAX];
	char *copy; /* what head points into; NULL: none is being read */
	struct buf body;
	struct buf said; /* requests and fault as text */
	int n;
	bool over;
};

static void check_plain(const struct http_head *h)
{
	struct buf b = BUF_INIT;
	struct http_scan s = { 0 };
	struct http_field fields[HTTP_FIELDS_MAX];
	struct http_head again = { .field = fields };
	struct err e;
	size_t n;

	buf_addf(&b, "%s %s%s%s HTTP/1.%d\r\n", h->method, h->path,
		 h->query == NULL ? "" : "?", h->query == NULL ? "" : h->query,
		 h->minor);
	for (size_t i = 0; i < h->n_fields; i++)
		buf_addf(&b, "%s:%s\r\n", h->field[i].name, h->field[i].value);
	buf_adds(&b, "\r\n");
	if (http_head_scan(&s, b.data, b.len, &n, &e) != HTTP_WHOLE ||
	    n != b.len || !http_head_parse(&again, b.data, n, &e))
		BUG("taken once and then refused: %s", e.text);
	if (again.n_fields != h->n_fields || again.length != h->length ||
	    again.chunked != h->chunked || again.close != h->close ||
	    strcmp(again.path, h->path) != 0)
		BUG("%s %s became %s %s", h->method, h->path, again.method,
		    again.path);
	buf_fini(&b);
}

static void tell_head(struct peer *p)
{
	const struct http_head *h = &p->head;

	buf_addf(&p->said, "[%s %s ? %s %" PRIu64 " %d%d%d%d", h->method,
		 h->path, h->query == NULL ? "none" : h->query, h->length,
		 h->chunked, h->expects, h->close, h->minor);
	for (size_t i = 0; i < h->n_fields; i++)
		buf_addf(&p->said, "|%s|%s", h->field[i].name,
			 h->field[i].value);
}

static enum http_got read_head(struct peer *p, struct err *e)
{
	enum http_got got;
	size_t n;

	got = http_head_scan(&p->scan, p->in.data, p->in.len, &n, e);
	if (got != HTTP_WHOLE)
		return got;
	if (memchr(p->in.data, '\0', n) != NULL)
		got = HTTP_FAULT;
	p->copy = xmalloc(n);
	p->head.field = p->fields;
	memcpy(p->copy, p->in.data, n);
	buf_consume(&p->in, n);
	p->scan = (struct http_scan){ 0 };
	p->chunks = (struct http_chunks){ 0 };
	if (!http_head_parse(&p->head, p->copy, n, e))
		return HTTP_FAULT;
	if (got == HTTP_FAULT)
		BUG("a head with NUL was taken");
	tell_head(p);
	check_plain(&p->head);
	return HTTP_WHOLE;
}

static enum http_got read_body(struct peer *p, struct err *e)
{
	enum http_got got = HTTP_WHOLE;
	size_t used;

	if (p->head.chunked) {
		got = http_chunks_take(&p->chunks, p->in.data, p->in.len, &used,
				       &p->body, BODY_MAX, e);
		if (used > p->in.len || p->body.len > BODY_MAX)
			BUG("%zu bytes were used of %zu", used, p->in.len);
	} else if (p->head.length > BODY_MAX) {
		used = 0;
		got = HTTP_FAULT;
		err_set(e, ERR_TOO_LARGE, "large");
	} else {
		used = p->head.length - p->body.len;
		if (used > p->in.len) {
			used = p->in.len;
			got = HTTP_MORE;
		}
		buf_add(&p->body, p->in.data, used);
	}
	buf_consume(&p->in, used);
	return got;
}

static void done(struct peer *p)
{
	buf_addf(&p->said, " body %zu:", p->body.len);
	buf_add(&p->said, p->body.data, p->body.len);
	buf_adds(&p->said, "]");
	buf_reset(&p->body);
	free(p->copy);
	p->copy = NULL;
	p->over = p->head.close || ++p->n == REQUESTS_MAX;
}

static void feed(struct peer *p, const uint8_t *data, size_t len)
{
	enum http_got got = HTTP_WHOLE;
	struct err e = ERR_INIT;

	buf_add(&p->in, data, len);
	while (!p->over && got == HTTP_WHOLE && p->in.len > 0) {
		if (p->copy == NULL)
			got = read_head(p, &e);
		if (got == HTTP_WHOLE && (p->in.len > 0 || !p->head.chunked))
			got = read_body(p, &e);
		else if (got == HTTP_WHOLE)
			got = HTTP_MORE;
		if (got == HTTP_WHOLE)
			done(p);
	}
	if (got != HTTP_FAULT)
		return;
	if (e.code == ERR_NONE || e.text[0] == '\0')
		BUG("a fault without a word");
	buf_addf(&p->said, "%s: %s", err_name(e.code), e.text);
	p->over = true;
}

static void fini(struct peer *p)
{
	buf_fini(&p->in);
	buf_fini(&p->body);
	buf_fini(&p->said);
	free(p->copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct peer whole = { 0 }, cut = { 0 };
	size_t at = 0, turn = 0, n;

	if (len < 2)
		return 0;
	/* The first two bytes say how the rest is cut. */
	feed(&whole, data + 2, len - 2);
	while (at < len - 2 && !cut.over) {
		n = 1 + data[turn++ % 2] % 61;
		if (n > len - 2 - at)
			n = len - 2 - at;
		feed(&cut, data + 2 + at, n);
		at += n;
	}
	if (whole.said.len != cut.said.len ||
	    (whole.said.len > 0 &&
	     memcmp(whole.said.data, cut.said.data, cut.said.len) != 0))
		BUG("whole: %s\ncut: %s", buf_str(&whole.said),
		    buf_str(&cut.said));
	fini(&whole);
	fini(&cut);
	return 0;
}
