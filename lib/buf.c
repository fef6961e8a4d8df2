/* Grows runs of bytes and writes JSON text into them. */
#include "lib/buf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/arena.h"
#include "lib/log.h"
#include "lib/utf8.h"

#define FIRST_CAP 64

void buf_init(struct buf *b)
{
	*b = (struct buf)BUF_INIT;
}

static void on_arena_end(void *p)
{
	buf_fini(p);
}

void buf_init_in(struct buf *b, struct arena *a)
{
	buf_init(b);
	arena_defer(a, on_arena_end, b);
}

void buf_fini(struct buf *b)
{
	free(b->data);
	buf_init(b);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void buf_reserve(struct buf *b, size_t more)
{
	size_t need, cap = b->cap > 0 ? b->cap : FIRST_CAP;

	if (more > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
		log_die("out of memory: %zu more bytes asked for", more);
	need = b->len + more + 1;
	if (need <= b->cap)
		return;
	while (cap < need)
		cap *= 2;
	b->data = xrealloc(b->data, cap);
	b->data[b->len] = '\0';
	b->cap = cap;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
	buf_reserve(b, len);
	if (len > 0)
		memcpy(b->data + b->len, p, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int len;

	/* Short texts, nearly all, are printed once. */
	buf_reserve(b, FIRST_CAP);
	va_start(ap, fmt);
	len = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (len < 0)
		BUG("format \"%s\" cannot be printed", fmt);
	if ((size_t)len >= b->cap - b->len) {
		buf_reserve(b, (size_t)len);
		va_start(ap, fmt);
		vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)len;
}

void buf_add_i64(struct buf *b, int64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);
	/* Also right for INT64_MIN, whose negative is no int64_t. */
	uint64_t u = v < 0 ? UINT64_C(0) - (uint64_t)v : (uint64_t)v;

	do {
		digits[--i] = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0);
	if (v < 0)
		digits[--i] = '-';
	buf_add(b, digits + i, sizeof(digits) - i);
}

void buf_consume(struct buf *b, size_t n)
{
	if (n > b->len)
		BUG("%zu bytes consumed of %zu", n, b->len);
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len + 1);
}

const char *buf_str(const struct buf *b)
{
	return b->data != NULL ? b->data : "";
}

char *buf_take(struct buf *b)
{
	char *data;

	buf_reserve(b, 0);
	data = b->data;
	buf_init(b);
	return data;
}

/* JSON */

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void add_escaped(struct buf *b, unsigned char c)
{
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (size_t i = 0; i + 1 < sizeof(letters) - 1; i += 2) {
		if (c == (unsigned char)letters[i]) {
			buf_addc(b, '\\');
			buf_addc(b, letters[i + 1]);
			return;
		}
	}
	buf_addf(b, "\\u%04x", c);
}

void buf_json_strn(struct buf *b, const char *s, size_t len)
{
	size_t i = 0, start;
	bool ok;

	buf_reserve(b, len < SIZE_MAX / 8 ? len + 2 : len);
	buf_addc(b, '"');
	while (i < len) {
		start = i;
		while (i < len && is_plain((unsigned char)s[i]))
			i++;
		buf_add(b, s + start, i - start);
		if (i == len)
			break;
		if ((unsigned char)s[i] < 0x80) {
			add_escaped(b, (unsigned char)s[i++]);
			continue;
		}
		start = i;
		i += utf8_next(s + i, len - i, &ok);
		if (ok)
			buf_add(b, s + start, i - start);
		else
			buf_adds(b, "\xef\xbf\xbd");
	}
	buf_addc(b, '"');
}

void buf_json_str(struct buf *b, const char *s)
{
	if (s == NULL)
		buf_adds(b, "null");
	else
		buf_json_strn(b, s, strlen(s));
}

void buf_json_comma(struct buf *b)
{
	if (b->len > 0 && strchr("{[,", b->data[b->len - 1]) == NULL)
		buf_addc(b, ',');
}

void buf_json_key(struct buf *b, const char *key)
{
	buf_json_comma(b);
	buf_json_str(b, key);
	buf_addc(b, ':');
}

void buf_json_kv_str(struct buf *b, const char *key, const char *s)
{
	buf_json_key(b, key);
	buf_json_str(b, s);
}

void buf_json_kv_i64(struct buf *b, const char *key, int64_t v)
{
	buf_json_key(b, key);
	buf_add_i64(b, v);
}

void buf_json_kv_bool(struct buf *b, const char *key, bool v)
{
	buf_json_key(b, key);
	buf_adds(b, v ? "true" : "false");
}

void buf_json_kv_raw(struct buf *b, const char *key, const char *json)
{
	buf_json_key(b, key);
	buf_adds(b, json);
}
