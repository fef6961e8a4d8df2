/*
 * Puts a body together that arrives in chunks, one byte of framing at a time,
 * so that it does not matter how the network cuts it.
 */
#include "server/http_chunks.h"

#include "lib/id.h"

#define DIGITS_MAX 8
/* Nobody needs any; they may not cost more than a head. */
#define EXTRA_MAX HTTP_HEAD_MAX

enum {
	SIZE, /* hexadecimal digits */
	EXTENSION,
	SIZE_LF, /* behind the CR */
	DATA,
	DATA_CR,
	DATA_LF,
	LINE, /* a trailer's beginning, or the end's CR */
	NAME,
	VALUE,
	LINE_LF,
	END_LF
};

static bool bad(struct err *e, const char *what)
{
	return err_set(e, ERR_BAD_REQUEST, "the chunks are not HTTP/1.1: %s",
		       what);
}

static bool take_size(struct http_chunks *c, char x, struct err *e)
{
	int digit = id_hex_value(x);

	if (digit >= 0) {
		if (++c->digits > DIGITS_MAX)
			return bad(e, "a length has more than 8 digits");
		c->left = c->left * 16 + (size_t)digit;
		return true;
	}
	if (c->digits == 0 || (x != '\r' && x != ';'))
		return bad(e, "a length is not a hexadecimal number");
	c->state = x == '\r' ? SIZE_LF : EXTENSION;
	return true;
}

static bool take_lf(struct http_chunks *c, char x, int next, struct err *e)
{
	if (x != '\n')
		return bad(e, "a CR stands without LF");
	c->state = next;
	return true;
}

/* Text up to a CR, whose LF is next. */
static bool take_text(struct http_chunks *c, char x, int next, struct err *e)
{
	if (++c->extra > EXTRA_MAX)
		return err_set(e, ERR_HEADERS_TOO_LARGE,
			       "extensions and trailers of chunks are over "
			       "%zu bytes",
			       EXTRA_MAX);
	if (x == '\r')
		c->state = next;
	else if (!http_is_value(&x, 1))
		return bad(e, "there is a control character");
	return true;
}

static bool take_name(struct http_chunks *c, char x, struct err *e)
{
	bool token = http_token_len(&x, 1) == 1;

	if (c->state == LINE && x == '\r') {
		c->state = END_LF;
		return true;
	}
	if (!token && (c->state == LINE || x != ':'))
		return bad(e, "a trailer is not a header field");
	c->state = token ? NAME : VALUE;
	return !token || take_text(c, x, NAME, e);
}

static bool take_framing(struct http_chunks *c, char x, struct err *e)
{
	switch (c->state) {
	case SIZE:
		return take_size(c, x, e);
	case EXTENSION:
		return take_text(c, x, SIZE_LF, e);
	case SIZE_LF:
		return take_lf(c, x, c->left > 0 ? DATA : LINE, e);
	case DATA_CR:
		c->state = DATA_LF;
		return x == '\r' || bad(e, "a chunk is longer than it says");
	case DATA_LF:
		c->digits = 0;
		return take_lf(c, x, SIZE, e);
	case LINE:
	case NAME:
		return take_name(c, x, e);
	case VALUE:
		return take_text(c, x, LINE_LF, e);
	case LINE_LF:
		return take_lf(c, x, LINE, e);
	default: /* END_LF */
		return bad(e, "the end has no LF");
	}
}

/* One byte that is none of a chunk's own, of which room more may come. */
static enum http_got take(struct http_chunks *c, char x, size_t room,
			  struct err *e)
{
	if (c->state == END_LF && x == '\n')
		return HTTP_WHOLE;
	if (!take_framing(c, x, e))
		return HTTP_FAULT;
	if (c->state != DATA || c->left <= room)
		return HTTP_MORE;
	err_set(e, ERR_TOO_LARGE, "the body is larger than is taken");
	return HTTP_FAULT;
}

/* Up to n bytes of a chunk itself. */
static size_t take_data(struct http_chunks *c, const char *p, size_t n,
			struct buf *out)
{
	if (n > c->left)
		n = c->left;
	buf_add(out, p, n);
	c->left -= n;
	if (c->left == 0)
		c->state = DATA_CR;
	return n;
}

enum http_got http_chunks_take(struct http_chunks *c, const char *p, size_t len,
			       size_t *used, struct buf *out, size_t max,
			       struct err *e)
{
	enum http_got got = HTTP_MORE;
	size_t at = 0;

	while (at < len && got == HTTP_MORE) {
		if (c->state == DATA)
			at += take_data(c, p + at, len - at, out);
		else
			got = take(c, p[at++], max - out->len, e);
	}
	*used = at;
	return got;
}
