/*
 * Reads JSON text byte by byte and says exactly where it is not JSON: the
 * strict half of lib/json, because json-c lets through what a server must
 * refuse.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/json_cursor.h"
#include "lib/json_keys.h"
#include "lib/utf8.h"

/* No number that means something is longer, and it keeps strtod's input on
 * the stack. Without an exponent it cannot overflow a double either. */
#define NUMBER_MAX 120

struct scan {
	const char *p, *end; /* what is left */
	const char *begin;
	unsigned depth, depth_max;
	bool escaped; /* the last string had an escape */
	struct err *e;
	struct json_keys keys;
};

/* Characters, not bytes, are counted as columns: that is what editors do. */
static bool fail(struct scan *s, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static bool fail(struct scan *s, const char *at, const char *fmt, ...)
{
	size_t line = 1, column = 1;
	char what[256];
	va_list ap;

	for (const char *p = s->begin; p < at; p++) {
		if (*p == '\n') {
			line++;
			column = 1;
		} else if ((*p & 0xc0) != 0x80) {
			column++;
		}
	}
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(s->e, ERR_BAD_REQUEST, "line %zu, column %zu: %s", line,
		       column, what);
}

/* Names the byte at p for a message: 'x', or byte 0x1f, or the end. */
static const char *found(const struct scan *s, const char *p, char out[16])
{
	unsigned char c;

	if (p >= s->end)
		return "the end of the text";
	c = (unsigned char)*p;
	if (c > ' ' && c < 0x7f)
		snprintf(out, 16, "'%c'", c);
	else
		snprintf(out, 16, "byte 0x%02x", c);
	return out;
}

static bool fail_expected(struct scan *s, const char *expected)
{
	char name[16];

	return fail(s, s->p, "%s is expected, not %s", expected,
		    found(s, s->p, name));
}

static inline void skip_blanks(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' ||
				 *s->p == '\t' || *s->p == '\r'))
		s->p++;
}

static bool hex4(const char *p, const char *end, unsigned *out)
{
	*out = 0;
	if (end - p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		unsigned digit;

		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (unsigned)((c | 0x20) - 'a') + 10;
		else
			return false;
		*out = *out << 4 | digit;
	}
	return true;
}

/* p is at "\u". */
static bool scan_unicode(struct scan *s, const char *p)
{
	unsigned c, low;

	if (!hex4(p + 2, s->end, &c))
		return fail(s, p, "\\u needs four hexadecimal digits");
	if (c == 0)
		return fail(s, p, "\\u0000 is not allowed in a string");
	s->p = p + 6;
	if (c < 0xd800 || c > 0xdfff)
		return true;
	if (c > 0xdbff || s->end - s->p < 6 || s->p[0] != '\\' ||
	    s->p[1] != 'u' || !hex4(s->p + 2, s->end, &low) || low < 0xdc00 ||
	    low > 0xdfff)
		return fail(s, p, "\\u%04x is half of a surrogate pair", c);
	s->p += 6;
	return true;
}

/* s->p is at the backslash. */
static bool scan_escape(struct scan *s)
{
	const char *p = s->p;

	s->escaped = true;
	if (p + 1 < s->end) {
		switch (p[1]) {
		case '"':
		case '\\':
		case '/':
		case 'b':
		case 'f':
		case 'n':
		case 'r':
		case 't':
			s->p = p + 2;
			return true;
		case 'u':
			return scan_unicode(s, p);
		}
	}
	return fail(s, p,
		    "a backslash must be followed by one of "
		    "\" \\ / b f n r t u");
}

/* Non-zero when one of eight bytes ends a plain run: a quote, a backslash, a
 * control character or a byte of a UTF-8 sequence. */
static inline uint64_t special8(const char *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t high = UINT64_C(0x8080808080808080);
	uint64_t w, quote, slash;

	memcpy(&w, p, 8);
	quote = w ^ (ones * '"');
	slash = w ^ (ones * '\\');
	return (((w - ones * 0x20) | (quote - ones) | (slash - ones)) | w) &
	       high;
}

static inline void skip_plain(struct scan *s)
{
	const char *p = s->p;

	while (s->end - p >= 8 && !special8(p))
		p += 8;
	while (p < s->end && (unsigned char)(*p - 0x20) < 0x60 && *p != '"' &&
	       *p != '\\')
		p++;
	s->p = p;
}

/* s->p is at the opening quote; afterwards behind the closing one. */
static bool scan_string(struct scan *s)
{
	const char *open = s->p++;
	unsigned char c;
	size_t len;
	bool ok;

	s->escaped = false;
	for (;;) {
		skip_plain(s);
		if (s->p >= s->end)
			return fail(s, open,
				    "the string that begins here "
				    "has no end");
		c = (unsigned char)*s->p;
		if (c == '"') {
			s->p++;
			return true;
		}
		if (c == '\\') {
			if (!scan_escape(s))
				return false;
		} else if (c < 0x20) {
			return fail(s, s->p,
				    "control character 0x%02x in a "
				    "string must be written as an escape",
				    c);
		} else {
			len = utf8_next(s->p, (size_t)(s->end - s->p), &ok);
			if (!ok)
				return fail(s, s->p,
					    "byte 0x%02x is not "
					    "valid UTF-8",
					    c);
			s->p += len;
		}
	}
}

static size_t scan_digits(struct scan *s)
{
	const char *first = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return (size_t)(s->p - first);
}

static bool fits_int64(const char *digits, size_t n, bool negative)
{
	/* Equal lengths compare as text. */
	if (n != 19)
		return n < 19;
	return memcmp(digits,
		      negative ? "9223372036854775808" : "9223372036854775807",
		      19) <= 0;
}

static bool fits_double(const char *p, size_t len)
{
	char text[NUMBER_MAX + 1];
	double d;

	memcpy(text, p, len);
	text[len] = '\0';
	d = strtod(text, NULL);
	return d - d == 0; /* not so for the infinities */
}

/* The fraction and the exponent, if any. */
static bool scan_fraction(struct scan *s, bool *whole, bool *exponent)
{
	*whole = true;
	*exponent = false;
	if (s->p < s->end && *s->p == '.') {
		*whole = false;
		s->p++;
		if (!scan_digits(s))
			return fail_expected(s, "a digit behind the point");
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		*whole = false;
		*exponent = true;
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (!scan_digits(s))
			return fail_expected(s, "a digit of the exponent");
	}
	return true;
}

static bool scan_number(struct scan *s)
{
	const char *first = s->p, *digits;
	bool negative = *s->p == '-', whole, exponent;
	size_t n, len;

	s->p += negative;
	digits = s->p;
	n = scan_digits(s);
	if (n == 0)
		return fail_expected(s, "a digit");
	if (n > 1 && *digits == '0')
		return fail(s, digits, "a number cannot begin with a zero");
	if (!scan_fraction(s, &whole, &exponent))
		return false;
	if (whole)
		return fits_int64(digits, n, negative) ||
		       fail(s, first, "the number does not fit 64 bits");
	len = (size_t)(s->p - first);
	if (len > NUMBER_MAX)
		return fail(s, first, "the number has more than %d characters",
			    NUMBER_MAX);
	if (exponent && !fits_double(first, len))
		return fail(s, first, "the number is too large");
	return true;
}

/* Word characters only: what stands where true, false or null could be. */
static bool scan_word(struct scan *s)
{
	static const char *const words[] = { "true", "false", "null" };
	const char *first = s->p, *p = s->p;
	size_t len;

	while (p < s->end && (((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') ||
			      (*p >= '0' && *p <= '9') || *p == '_'))
		p++;
	len = (size_t)(p - first);
	for (size_t i = 0; i < 3; i++) {
		if (len == strlen(words[i]) && !memcmp(first, words[i], len)) {
			s->p = p;
			return true;
		}
	}
	return fail(s, first,
		    "\"%.*s\" is not JSON: a text needs double "
		    "quotes, and the only words are true, false and null",
		    len > 40 ? 40 : (int)len, first);
}

static bool scan_value(struct scan *s);

static bool enter(struct scan *s)
{
	if (s->depth == s->depth_max)
		return fail(s, s->p, "nested deeper than %u levels",
			    s->depth_max);
	s->depth++;
	s->p++;
	skip_blanks(s);
	return true;
}

/* After an element: true with *more set at a comma, false with an error
 * unless close was read. */
static bool scan_next(struct scan *s, char close, bool *more)
{
	const char *comma;
	char expected[] = "a comma or '?'";

	skip_blanks(s);
	*more = false;
	if (s->p < s->end && *s->p == close) {
		s->p++;
		s->depth--;
		return true;
	}
	expected[12] = close;
	if (s->p >= s->end || *s->p != ',')
		return fail_expected(s, expected);
	comma = s->p++;
	skip_blanks(s);
	if (s->p < s->end && *s->p == close)
		return fail(s, comma, "a comma before '%c'", close);
	*more = true;
	return true;
}

static bool scan_list(struct scan *s)
{
	bool more = true;

	if (!enter(s))
		return false;
	if (s->p < s->end && *s->p == ']') {
		s->p++;
		s->depth--;
		return true;
	}
	while (more)
		if (!scan_value(s) || !scan_next(s, ']', &more))
			return false;
	return true;
}

static char *put_utf8(char *out, unsigned c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

/* p is at a backslash of a string that was checked; moves it on. */
static char *decode_escape(const char **p, const char *end, char *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *name = strchr(from, (*p)[1]);
	unsigned c, low;

	if ((*p)[1] != 'u') {
		*out++ = name ? to[name - from] : (*p)[1];
		*p += 2;
		return out;
	}
	if (!hex4(*p + 2, end, &c))
		return out;
	*p += 6;
	if (c >= 0xd800 && c <= 0xdbff && hex4(*p + 2, end, &low)) {
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		*p += 6;
	}
	return put_utf8(out, c);
}

/* The decoded form is never longer than the written one. */
static size_t decode(const char *p, const char *end, char *out)
{
	const char *first = out;

	while (p < end) {
		if (*p == '\\')
			out = decode_escape(&p, end, out);
		else
			*out++ = *p++;
	}
	return (size_t)(out - first);
}

char *json_decode_string(struct arena *a, const char *p, size_t len)
{
	char *text = arena_alloc(a, len + 1);

	decode(p, p + len, text);
	return text;
}

static bool add_escaped_key(struct scan *s, const char *p, const char *end)
{
	char *key = json_keys_room(&s->keys, (size_t)(end - p));

	return json_keys_add(&s->keys, key, decode(p, end, key));
}

static bool scan_key(struct scan *s)
{
	const char *open = s->p, *close;
	bool fresh;

	if (s->p >= s->end || *s->p != '"')
		return fail_expected(s, "a key in double quotes");
	if (!scan_string(s))
		return false;
	close = s->p - 1;
	fresh = s->escaped ? add_escaped_key(s, open + 1, close)
			   : json_keys_add(&s->keys, open + 1,
					   (size_t)(close - open - 1));
	if (!fresh)
		return fail(s, open,
			    "the key \"%.*s\" comes twice in one "
			    "object",
			    close - open > 100 ? 100 : (int)(close - open - 1),
			    open + 1);
	skip_blanks(s);
	if (s->p >= s->end || *s->p != ':')
		return fail_expected(s, "a colon behind the key");
	s->p++;
	skip_blanks(s);
	return true;
}

static bool scan_object(struct scan *s)
{
	bool more = true;

	if (!enter(s))
		return false;
	if (s->p < s->end && *s->p == '}') {
		s->p++;
		s->depth--;
		return true;
	}
	json_keys_push(&s->keys);
	while (more)
		if (!scan_key(s) || !scan_value(s) || !scan_next(s, '}', &more))
			return false;
	json_keys_pop(&s->keys);
	return true;
}

static bool scan_value(struct scan *s)
{
	if (s->p >= s->end)
		return fail_expected(s, "a value");
	switch (*s->p) {
	case '"':
		return scan_string(s);
	case '{':
		return scan_object(s);
	case '[':
		return scan_list(s);
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		return scan_number(s);
	case '\'':
		return fail(s, s->p,
			    "a string is written in double quotes, "
			    "not single ones");
	case '/':
	case '#':
		return fail(s, s->p, "JSON has no comments");
	}
	if ((*s->p | 0x20) >= 'a' && (*s->p | 0x20) <= 'z')
		return scan_word(s);
	return fail_expected(s, "a value");
}

static bool scan_document(struct scan *s)
{
	char name[16];

	if (s->end - s->p >= 3 && !memcmp(s->p, "\xef\xbb\xbf", 3))
		return fail(s, s->p,
			    "a byte order mark (U+FEFF) is not "
			    "allowed in JSON");
	skip_blanks(s);
	if (s->p == s->end)
		return fail(s, s->p, "the text is empty");
	if (!scan_value(s))
		return false;
	skip_blanks(s);
	if (s->p < s->end)
		return fail(s, s->p, "%s follows the end of the document",
			    found(s, s->p, name));
	return true;
}

bool json_check(const char *text, size_t len, struct err *e)
{
	return json_check_deep(text, len, JSON_DEPTH_MAX, e);
}

bool json_check_deep(const char *text, size_t len, unsigned depth,
		     struct err *e)
{
	struct scan s = { .p = text,
			  .end = text + len,
			  .begin = text,
			  .depth_max = depth,
			  .e = e };
	bool ok;

	json_keys_init(&s.keys);
	ok = scan_document(&s);
	json_keys_fini(&s.keys);
	return ok;
}
