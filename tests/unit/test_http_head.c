/* Which bytes are an HTTP request, and which are not. */
#include "server/http_head.h"

#include <string.h>
#include "server/http_chunks.h"
#include "tests/unit/unit.h"

#define H "Host: h\r\n"

/* One outcome for a text, whole or byte by byte; sets *h and *e. */
static bool reads(const char *text, struct http_head *h, struct err *e)
{
	static char copy[32768];
	static struct http_field fields[HTTP_FIELDS_MAX];
	size_t len = strlen(text), head_len = 0, in_pieces = 0;
	struct http_scan whole = { 0 }, pieces = { 0 };
	enum http_got got, piece = HTTP_MORE;

	got = http_head_scan(&whole, text, len, &head_len, e);
	for (size_t n = 1; n <= len && piece == HTTP_MORE; n++)
		piece = http_head_scan(&pieces, text, n, &in_pieces, e);
	CHECK_INT_EQ(got, piece);
	CHECK_UINT_EQ(head_len, in_pieces);
	if (got != HTTP_WHOLE)
		return false;
	memcpy(copy, text, head_len);
	h->field = fields;
	return http_head_parse(h, copy, head_len, e);
}

static void what_is_well_formed_is_read(void)
{
	static const struct {
		const char *text;
		const char *method, *path, *query;
		unsigned length;
		bool chunked, close;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n" H "\r\n", "GET", "/", NULL, 0, false,
		  false },
		{ "GET /a?b=c?d HTTP/1.1\r\n" H "\r\n", "GET", "/a", "b=c?d", 0,
		  false, false },
		{ "GET /? HTTP/1.1\r\n" H "\r\n", "GET", "/", "", 0, false,
		  false },
		{ "GET http://x:1/a HTTP/1.1\r\n" H "\r\n", "GET", "/a", NULL,
		  0, false, false },
		{ "GET HTTPS://x?a HTTP/1.1\r\n" H "\r\n", "GET", "/", "a", 0,
		  false, false },
		{ "PUT /a HTTP/1.1\r\nhost:h\r\ncontent-length:  007 \t\r\n\r\n",
		  "PUT", "/a", NULL, 7, false, false },
		{ "PUT /a HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n",
		  "PUT", "/a", NULL, 0, true, false },
		{ "GET / HTTP/1.1\r\n" H "Connection: x, Close\r\n\r\n", "GET",
		  "/", NULL, 0, false, true },
		{ "GET / HTTP/1.0\r\n\r\n", "GET", "/", NULL, 0, false, true },
		{ "GET / HTTP/1.7\r\nHost:\r\nX: \xe2\x82\xac\xff\r\n\r\n",
		  "GET", "/", NULL, 0, false, false },
		{ "M-SEARCH /{a}|\"b\" HTTP/1.1\r\n" H "\r\n", "M-SEARCH",
		  "/{a}|\"b\"", NULL, 0, false, false },
	};
	struct http_head h;

	for (size_t i = 0; i < UNIT_N(cases); i++) {
		struct err e = ERR_INIT;

		CHECK_OK(reads(cases[i].text, &h, &e), e);
		CHECK_STR_EQ(h.method, cases[i].method);
		CHECK_STR_EQ(h.path, cases[i].path);
		CHECK_STR_EQ(h.query == NULL ? "none" : h.query,
			     cases[i].query == NULL ? "none" : cases[i].query);
		CHECK_UINT_EQ(h.length, cases[i].length);
		CHECK_INT_EQ(h.chunked, cases[i].chunked);
		CHECK_INT_EQ(h.close, cases[i].close);
	}
}

static void what_can_be_read_in_two_ways_is_refused(void)
{
	static const struct {
		const char *text;
		enum err_code code;
		const char *part;
	} cases[] = {
#define BAD(text, part) { text, ERR_BAD_REQUEST, part }
		BAD("GET / HTTP/1.1\n" H "\r\n", "LF without CR"),
		BAD("GET / HTTP/1.1\r\n" H "\n", "LF without CR"),
		BAD("\r\nGET / HTTP/1.1\r\n" H "\r\n", "its method"),
		BAD(" GET / HTTP/1.1\r\n" H "\r\n", "its method"),
		BAD("\x16\x03\x01", "its method"),
		BAD("GET /\r\n" H "\r\n", "METHOD TARGET"),
		BAD("GET\r\n" H "\r\n", "a method"),
		BAD("GET  / HTTP/1.1\r\n" H "\r\n", "METHOD TARGET"),
		BAD("GET /\tHTTP/1.1\r\n" H "\r\n", "METHOD TARGET"),
		BAD("GET / HTTP/1.1 \r\n" H "\r\n", "a version"),
		BAD("GET / http/1.1\r\n" H "\r\n", "a version"),
		BAD("GET / HTTP/1.10\r\n" H "\r\n", "a version"),
		BAD("GET /a#b HTTP/1.1\r\n" H "\r\n", "METHOD TARGET"),
		BAD("GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", "METHOD TARGET"),
		BAD("GET /\x01 HTTP/1.1\r\n" H "\r\n", "METHOD TARGET"),
		BAD("GET * HTTP/1.1\r\n" H "\r\n", "not a path"),
		BAD("CONNECT a:1 HTTP/1.1\r\n" H "\r\n", "not a path"),
		BAD("GET ftp://a/ HTTP/1.1\r\n" H "\r\n", "not a path"),
		BAD("GET http:/// HTTP/1.1\r\n" H "\r\n", "no host"),
		BAD("GET http://u@a/ HTTP/1.1\r\n" H "\r\n", "no host"),
		BAD("GET / HTTP/1.1\r\n\r\n", "no Host"),
		BAD("GET / HTTP/1.1\r\n" H H "\r\n", "Host is there twice"),
		BAD("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "not a host"),
		BAD("GET / HTTP/1.1\r\n" H "A : b\r\n\r\n", "before a header"),
		BAD("GET / HTTP/1.1\r\n" H "A\r\n\r\n", "not a header field"),
		BAD("GET / HTTP/1.1\r\n" H ": b\r\n\r\n", "not a header field"),
		BAD("GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n",
		    "further line"),
		BAD("GET / HTTP/1.1\r\n" H "A: b\rc\r\n\r\n", "a CR in it"),
		BAD("GET / HTTP/1.1\r\n" H "A: b\x01\r\n\r\n", "control char"),
		BAD("GET / HTTP/1.1\r\n" H "A: b\x7f\r\n\r\n", "control char"),
		BAD("GET / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
		    "content-length: 1\r\n\r\n",
		    "twice"),
		BAD("GET / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n",
		    "not a number"),
		BAD("GET / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n",
		    "not a number"),
		BAD("GET / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\n",
		    "not a number"),
		BAD("GET / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", "empty"),
		BAD("GET / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n",
		    "exclude"),
		BAD("GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n",
		    "twice"),
		BAD("GET / HTTP/1.1\r\n" H
		    "Transfer-Encoding: chunked, gzip\r\n\r\n",
		    "the only"),
		BAD("GET / HTTP/1.1\r\n" H
		    "Transfer-Encoding: gzip, chunked\r\n\r\n",
		    "the only"),
		BAD("GET / HTTP/1.1\r\n" H
		    "Transfer-Encoding: xchunked\r\n\r\n",
		    "the only"),
		BAD("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
		    "HTTP/1.0 has no"),
		BAD("GET / HTTP/1.1\r\n" H "Authorization: a\r\n"
		    "Authorization: b\r\n\r\n",
		    "twice"),
#undef BAD
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ERR_HTTP_VERSION, "2.0" },
		{ "GET / HTTP/0.9\r\n\r\n", ERR_HTTP_VERSION, "0.9" },
		{ "GET / HTTP/1.1\r\n" H "Expect: x\r\n\r\n", ERR_EXPECTATION,
		  "x" },
	};
	struct http_head h;

	for (size_t i = 0; i < UNIT_N(cases); i++) {
		struct err e = ERR_INIT;

		CHECK_FALSE(reads(cases[i].text, &h, &e));
		CHECK_ERR(e, cases[i].code, cases[i].part);
	}
}

static void a_head_is_bounded(void)
{
	struct http_scan s = { 0 };
	struct http_head h;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	size_t head_len;

	buf_adds(&b, "GET / HTTP/1.1\r\n" H "X: ");
	while (b.len < HTTP_HEAD_MAX - 4)
		buf_addc(&b, 'x');
	buf_adds(&b, "\r\n\r\n");
	CHECK_OK(reads(buf_str(&b), &h, &e), e);
	CHECK_UINT_EQ(h.n_fields, 2);
	b.len -= 4;
	buf_adds(&b, "x\r\n\r\n");
	CHECK_FALSE(reads(buf_str(&b), &h, &e));
	CHECK_ERR(e, ERR_HEADERS_TOO_LARGE, "16384");
	buf_reset(&b);
	buf_adds(&b, "GET / HTTP/1.1\r\n" H);
	for (int i = 1; i < HTTP_FIELDS_MAX; i++)
		buf_adds(&b, "X: y\r\n");
	CHECK_INT_EQ(http_head_scan(&s, b.data, b.len, &head_len, &e),
		     HTTP_MORE);
	buf_adds(&b, "\r\n");
	CHECK_OK(reads(buf_str(&b), &h, &e), e);
	CHECK_UINT_EQ(h.n_fields, HTTP_FIELDS_MAX);
	b.len -= 2;
	buf_adds(&b, "X: y\r\n\r\n");
	CHECK_FALSE(reads(buf_str(&b), &h, &e));
	CHECK_ERR(e, ERR_HEADERS_TOO_LARGE, "64");
	buf_fini(&b);
}

static void a_length_of_any_size_is_a_number(void)
{
	struct http_head h = { 0 };
	struct err e = ERR_INIT;

	CHECK_OK(reads("PUT / HTTP/1.1\r\n" H "Content-Length: "
		       "99999999999999999999999999999999\r\n\r\n",
		       &h, &e),
		 e);
	CHECK_TRUE(h.length > (uint64_t)1 << 40);
}

/* The outcome for a text in pieces of n bytes; what was not used is told. */
static enum http_got chunks(const char *text, size_t n, struct buf *out,
			    size_t *rest, struct err *e)
{
	size_t len = strlen(text), at = 0, used = 0;
	struct http_chunks c = { 0 };
	enum http_got got = HTTP_MORE;

	buf_reset(out);
	while (at < len && got == HTTP_MORE) {
		size_t piece = len - at < n ? len - at : n;

		got = http_chunks_take(&c, text + at, piece, &used, out, 16, e);
		at += used;
	}
	*rest = len - at;
	return got;
}

static void chunks_are_put_together(void)
{
	static const char *const good[] = {
		"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\nNEXT",
		"003\r\nabc\r\n4\r\ndefg\r\n000\r\n\r\nNEXT",
		"7;a=\"b\";c\r\nabcdefg\r\n0;x\r\n\r\nNEXT",
		"7\r\nabcdefg\r\n0\r\nA: b\r\nC:\r\n\r\nNEXT",
	};
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	size_t rest;

	for (size_t i = 0; i < UNIT_N(good); i++) {
		for (size_t n = 1; n < 60; n++) {
			CHECK_INT_EQ(chunks(good[i], n, &out, &rest, &e),
				     HTTP_WHOLE);
			CHECK_STR_EQ(buf_str(&out), "abcdefg");
			CHECK_UINT_EQ(rest, 4);
		}
	}
	CHECK_INT_EQ(chunks("A\r\n0123456789\r\n", 3, &out, &rest, &e),
		     HTTP_MORE);
	buf_fini(&out);
}

static void chunks_that_can_be_read_in_two_ways_are_refused(void)
{
	static const char *const bad[] = {
		"\r\n",
		"x\r\n",
		"0x3\r\nabc\r\n",
		"-3\r\nabc\r\n",
		"3 \r\nabc\r\n",
		"3\nabc\r\n",
		"3\rabc\r\n",
		"3\r\nabcd\r\n",
		"3\r\nabc\n",
		"3\r\nabc\rx",
		"3;\x01\r\nabc\r\n",
		"3;a\nabc\r\n",
		"000000003\r\nabc\r\n",
		"ffffffffffffffff\r\n",
		"11\r\n",
		"8\r\n01234567\r\n9\r\n",
		"0\r\n\n",
		"0\r\n\rx",
		"0\r\n A: b\r\n\r\n",
		"0\r\nA : b\r\n\r\n",
		"0\r\nA\r\n\r\n",
		"0\r\nA: b\n\r\n",
		"0\r\nA: \x7f\r\n\r\n",
	};
	struct buf out = BUF_INIT;
	size_t rest;

	for (size_t i = 0; i < UNIT_N(bad); i++) {
		for (size_t n = 1; n < 30; n++) {
			struct err e = ERR_INIT;

			CHECK_INT_EQ(chunks(bad[i], n, &out, &rest, &e),
				     HTTP_FAULT);
			CHECK_TRUE(e.code == ERR_BAD_REQUEST ||
				   e.code == ERR_TOO_LARGE);
		}
	}
	buf_fini(&out);
}

static void framing_without_content_is_bounded(void)
{
	struct http_chunks c = { 0 };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	enum http_got got;
	int64_t n = 0;
	size_t used;

	got = http_chunks_take(&c, "1;", 2, &used, &out, 16, &e);
	for (; got == HTTP_MORE && n < 1 << 20; n++)
		got = http_chunks_take(&c, "x", 1, &used, &out, 16, &e);
	CHECK_INT_EQ(got, HTTP_FAULT);
	CHECK_ERR(e, ERR_HEADERS_TOO_LARGE, "16384");
	CHECK_INT_EQ(n, 16385);
	buf_fini(&out);
}

static const struct unit_test tests[] = {
	{ "what is well-formed is read", what_is_well_formed_is_read },
	{ "what can be read in two ways is refused",
	  what_can_be_read_in_two_ways_is_refused },
	{ "a head is bounded", a_head_is_bounded },
	{ "a length of any size is a number",
	  a_length_of_any_size_is_a_number },
	{ "chunks are put together", chunks_are_put_together },
	{ "chunks that can be read in two ways are refused",
	  chunks_that_can_be_read_in_two_ways_are_refused },
	{ "framing without content is bounded",
	  framing_without_content_is_bounded },
};

int main(void)
{
	return unit_main("http_head", tests, UNIT_N(tests));
}
