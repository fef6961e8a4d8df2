/*
 * Reads the first part of an HTTP request, which says what is wanted and how
 * long the rest is, and refuses whatever two programs could understand
 * differently.
 */
#include "server/http_head.h"

#include <string.h>
#include <strings.h>

#define METHOD_MAX 32

/* What bytes may be part of, by RFC 9110 and 3986. */
enum { TOKEN = 1, VALUE = 2, TARGET = 4, HOST = 8 };

/* A target takes more than a URI may hold, because people type queries into
 * curl, but no '#': nobody agrees on what that means here. */
static const unsigned char may[256] = {
	['\t'] = VALUE,
	[' '] = VALUE,
	['!'] = TOKEN | VALUE | TARGET | HOST,
	['"'] = VALUE | TARGET,
	['#'] = TOKEN | VALUE,
	['$' ... '\''] = TOKEN | VALUE | TARGET | HOST,
	['('] = VALUE | TARGET | HOST,
	[')'] = VALUE | TARGET | HOST,
	['*' ... '+'] = TOKEN | VALUE | TARGET | HOST,
	[','] = VALUE | TARGET | HOST,
	['-' ... '.'] = TOKEN | VALUE | TARGET | HOST,
	['/'] = VALUE | TARGET,
	['0' ... '9'] = TOKEN | VALUE | TARGET | HOST,
	[':' ... ';'] = VALUE | TARGET | HOST,
	['<'] = VALUE | TARGET,
	['='] = VALUE | TARGET | HOST,
	['>' ... '@'] = VALUE | TARGET,
	['A' ... 'Z'] = TOKEN | VALUE | TARGET | HOST,
	['['] = VALUE | TARGET | HOST,
	['\\'] = VALUE | TARGET,
	[']'] = VALUE | TARGET | HOST,
	['^'] = TOKEN | VALUE | TARGET,
	['_'] = TOKEN | VALUE | TARGET | HOST,
	['`'] = TOKEN | VALUE | TARGET,
	['a' ... 'z'] = TOKEN | VALUE | TARGET | HOST,
	['{'] = VALUE | TARGET,
	['|'] = TOKEN | VALUE | TARGET,
	['}'] = VALUE | TARGET,
	['~'] = TOKEN | VALUE | TARGET | HOST,
	[0x80 ... 0xff] = VALUE,
};

/* How many of the first bytes may be part of what. */
static size_t span(const char *p, size_t len, unsigned char what)
{
	size_t n = 0;

	while (n < len && (may[(unsigned char)p[n]] & what) != 0)
		n++;
	return n;
}

bool http_is_value(const char *p, size_t len)
{
	return span(p, len, VALUE) == len;
}

size_t http_token_len(const char *p, size_t len)
{
	return span(p, len, TOKEN);
}

static bool bad(struct err *e, const char *what)
{
	return err_set(e, ERR_BAD_REQUEST, "this is not HTTP/1.1: %s", what);
}

/* Where it ends */

enum http_got http_head_scan(struct http_scan *s, const char *p, size_t len,
			     size_t *head_len, struct err *e)
{
	size_t most = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX;
	const char *lf;

	if (len > 0 && s->lines == 0 && span(p, 1, TOKEN) == 0) {
		bad(e, "a request begins with its method");
		return HTTP_FAULT;
	}
	while ((lf = memchr(p + s->seen, '\n', most - s->seen)) != NULL) {
		size_t at = (size_t)(lf - p);

		if (at == s->line || p[at - 1] != '\r') {
			bad(e, "a line ends in LF without CR");
			return HTTP_FAULT;
		}
		if (at - 1 == s->line) {
			*head_len = at + 1;
			return HTTP_WHOLE;
		}
		s->seen = s->line = at + 1;
		if (++s->lines > HTTP_FIELDS_MAX + 1) {
			err_set(e, ERR_HEADERS_TOO_LARGE,
				"a request may have %d header fields",
				HTTP_FIELDS_MAX);
			return HTTP_FAULT;
		}
	}
	s->seen = most;
	if (len < HTTP_HEAD_MAX)
		return HTTP_MORE;
	err_set(e, ERR_HEADERS_TOO_LARGE,
		"the request line and header fields are over %zu bytes",
		HTTP_HEAD_MAX);
	return HTTP_FAULT;
}

/* Fields that the server goes by */

static bool take_host(struct http_head *h, const char *value, struct err *e)
{
	(void)h;
	if (value[span(value, strlen(value), HOST)] != '\0')
		return bad(e, "Host is not a host");
	return true;
}

static bool take_length(struct http_head *h, const char *value, struct err *e)
{
	if (*value == '\0')
		return bad(e, "Content-Length is empty");
	for (; *value != '\0'; value++) {
		if (*value < '0' || *value > '9')
			return bad(e, "Content-Length is not a number");
		if (h->length > (UINT64_MAX - 9) / 10)
			h->length = UINT64_MAX / 100;
		h->length = h->length * 10 + (uint64_t)(*value - '0');
	}
	return true;
}

static bool take_coding(struct http_head *h, const char *value, struct err *e)
{
	if (strcasecmp(value, "chunked") != 0)
		return bad(e, "the only Transfer-Encoding that is taken is "
			      "\"chunked\"");
	h->chunked = true;
	return true;
}

/* A list of words, of which only "close" means something here. */
static bool take_connection(struct http_head *h, const char *value,
			    struct err *e)
{
	(void)e;
	for (;;) {
		size_t len;

		value += strspn(value, ", \t");
		len = strcspn(value, ", \t");
		if (len == 0)
			return true;
		if (len == 5 && strncasecmp(value, "close", len) == 0)
			h->close = true;
		value += len;
	}
}

static bool take_expect(struct http_head *h, const char *value, struct err *e)
{
	if (strcasecmp(value, "100-continue") != 0)
		return err_set(e, ERR_EXPECTATION,
			       "\"Expect: %.100s\" cannot be met", value);
	h->expects = true;
	return true;
}

enum { IS_HOST = 1, IS_LENGTH = 2, IS_CODING = 4 };

static const struct known {
	const char *name;
	size_t len;
	bool often; /* may come more than once */
	bool (*take)(struct http_head *h, const char *value, struct err *e);
} known[] = {
	{ "Host", 4, false, take_host },
	{ "Content-Length", 14, false, take_length },
	{ "Transfer-Encoding", 17, false, take_coding },
	{ "Connection", 10, true, take_connection },
	{ "Expect", 6, false, take_expect },
	{ "Authorization", 13, false, NULL },
	{ "Content-Type", 12, false, NULL },
	{ "Idempotency-Key", 15, false, NULL },
};

#define N_KNOWN (sizeof(known) / sizeof(known[0]))

static bool take_known(struct http_head *h, const struct http_field *f,
		       size_t len, struct err *e)
{
	for (size_t i = 0; i < N_KNOWN; i++) {
		if (known[i].len != len ||
		    strcasecmp(known[i].name, f->name) != 0)
			continue;
		if ((h->known & 1u << i) != 0 && !known[i].often)
			return err_set(e, ERR_BAD_REQUEST,
				       "this is not HTTP/1.1: %s is there "
				       "twice",
				       known[i].name);
		h->known |= 1u << i;
		return known[i].take == NULL || known[i].take(h, f->value, e);
	}
	return true;
}

/* What it says */

static bool parse_field(struct http_head *h, char *line, size_t len,
			struct err *e)
{
	size_t n = span(line, len, TOKEN);
	struct http_field *f = &h->field[h->n_fields];

	if (n == 0 && (line[0] == ' ' || line[0] == '\t'))
		return bad(e, "a header field goes on in a further line");
	if (n < len && n > 0 && (line[n] == ' ' || line[n] == '\t'))
		return bad(e, "there is a blank before a header field's colon");
	if (n == 0 || n == len || line[n] != ':')
		return bad(e, "a line is not a header field");
	line[n] = '\0';
	f->name = line;
	line += n + 1;
	len -= n + 1;
	if (!http_is_value(line, len))
		return bad(e, "a header field has control characters");
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	line[len] = '\0';
	f->value = line + strspn(line, " \t");
	h->n_fields++;
	return take_known(h, f, n, e);
}

/* "http://host:port/path", as clients of proxies write it, means "/path". */
static bool cut_origin(char **target, struct err *e)
{
	char *p = *target;
	size_t len;

	if (strncasecmp(p, "http://", 7) == 0)
		p += 7;
	else if (strncasecmp(p, "https://", 8) == 0)
		p += 8;
	else
		return bad(e, "the request's target is not a path");
	len = span(p, strlen(p), HOST);
	if (len == 0 || (p[len] != '/' && p[len] != '?' && p[len] != '\0'))
		return bad(e, "the request's target names no host");
	*target = p + len;
	return true;
}

static bool parse_target(struct http_head *h, char *target, struct err *e)
{
	char *mark;

	if (*target != '/' && !cut_origin(&target, e))
		return false;
	mark = strchr(target, '?');
	if (mark != NULL) {
		*mark = '\0';
		h->query = mark + 1;
	}
	h->path = *target == '\0' ? "/" : target;
	return true;
}

static bool parse_version(struct http_head *h, const char *p, size_t len,
			  struct err *e)
{
	if (len != 8 || memcmp(p, "HTTP/", 5) != 0 || p[5] < '0' ||
	    p[5] > '9' || p[6] != '.' || p[7] < '0' || p[7] > '9')
		return bad(e, "the first line does not end in a version");
	if (p[5] != '1')
		return err_set(e, ERR_HTTP_VERSION,
			       "HTTP/%.3s is not spoken here, but HTTP/1.1",
			       p + 5);
	h->minor = p[7] == '0' ? 0 : 1;
	return true;
}

static bool parse_first_line(struct http_head *h, char *line, size_t len,
			     struct err *e)
{
	size_t method = span(line, len, TOKEN), target;
	char *p = line + method + 1;

	if (method == 0 || method > METHOD_MAX || method == len ||
	    line[method] != ' ')
		return bad(e, "the first line does not begin with a method");
	len -= method + 1;
	target = span(p, len, TARGET);
	if (target == 0 || target == len || p[target] != ' ')
		return bad(e, "the first line has not the form \"METHOD TARGET "
			      "HTTP/1.1\"");
	line[method] = '\0';
	p[target] = '\0';
	h->method = line;
	return parse_version(h, p + target + 1, len - target - 1, e) &&
	       parse_target(h, p, e);
}

static bool check_whole(struct http_head *h, struct err *e)
{
	if (h->minor > 0 && (h->known & IS_HOST) == 0)
		return bad(e, "there is no Host");
	if (h->chunked && (h->known & IS_LENGTH) != 0)
		return bad(e, "Transfer-Encoding and Content-Length exclude "
			      "each other");
	if (h->chunked && h->minor == 0)
		return bad(e, "HTTP/1.0 has no Transfer-Encoding");
	if (h->minor == 0) {
		h->close = true;
		h->expects = false;
	}
	return true;
}

bool http_head_parse(struct http_head *h, char *head, size_t len, struct err *e)
{
	char *line = head, *end = head + len - 2;

	h->method = h->path = "";
	h->query = NULL;
	h->n_fields = 0;
	h->length = 0;
	h->chunked = h->expects = h->close = false;
	h->minor = 1;
	h->known = 0;
	while (line < end) {
		char *cr = memchr(line, '\r', (size_t)(end - line));
		size_t n;

		if (cr == NULL || cr[1] != '\n')
			return bad(e, "a line has a CR in it");
		n = (size_t)(cr - line);
		if (line == head ? !parse_first_line(h, line, n, e)
				 : !parse_field(h, line, n, e))
			return false;
		line = cr + 2;
	}
	return check_whole(h, e);
}

const char *http_head_get(const struct http_head *h, const char *name)
{
	for (size_t i = 0; i < h->n_fields; i++) {
		if (strcasecmp(h->field[i].name, name) == 0)
			return h->field[i].value;
	}
	return NULL;
}
