/*
 * Steps through JSON text that was checked before, so that large documents
 * are read part by part.
 */
#include "lib/json_cursor.h"

#include <string.h>
#include "lib/log.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

_Noreturn static void not_checked(void)
{
	BUG("the JSON text was not checked before it was walked over");
}

/* p is at the opening quote; gives the byte behind the closing one. */
static const char *string_end(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '"')
			return p + 1;
		if (*p == '\\')
			p++;
	}
	not_checked();
}

/* p is at the opening bracket. Brackets match: the text was checked. */
static const char *container_end(const char *p, const char *end)
{
	size_t depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = string_end(p, end);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		p++;
		if (!depth)
			return p;
	}
	not_checked();
}

static const char *value_end(const char *p, const char *end)
{
	if (p >= end)
		not_checked();
	if (*p == '"')
		return string_end(p, end);
	if (*p == '{' || *p == '[')
		return container_end(p, end);
	while (p < end && !is_blank(*p) && *p != ',' && *p != '}' && *p != ']')
		p++;
	return p;
}

struct json_span json_span_of(const char *text, size_t len)
{
	const char *p = skip_blanks(text, text + len);
	const char *end = text + len;

	while (end > p && is_blank(end[-1]))
		end--;
	return (struct json_span){ p, (size_t)(end - p) };
}

struct json_span json_span_quoted(struct arena *a, const char *text)
{
	struct buf b = BUF_INIT;
	struct json_span v;

	buf_json_str(&b, text);
	v.len = b.len;
	v.p = arena_strndup(a, buf_str(&b), b.len);
	buf_fini(&b);
	return v;
}

enum json_type json_span_type(struct json_span v)
{
	if (!v.p || !v.len)
		return JSON_NULL;
	switch (*v.p) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STR;
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	}
	return memchr(v.p, '.', v.len) || memchr(v.p, 'e', v.len) ||
			       memchr(v.p, 'E', v.len)
		       ? JSON_DOUBLE
		       : JSON_INT;
}

struct json_cursor json_cursor_open(struct json_span v)
{
	if (v.len < 2 || (*v.p != '{' && *v.p != '['))
		BUG("a cursor is opened on what is no list and no object");
	return (struct json_cursor){ v.p + 1, v.p + v.len, true };
}

bool json_cursor_next(struct json_cursor *c)
{
	c->p = skip_blanks(c->p, c->end);
	if (c->p >= c->end)
		not_checked();
	if (*c->p == '}' || *c->p == ']')
		return false;
	if (!c->first)
		c->p = skip_blanks(c->p + 1, c->end);
	c->first = false;
	return true;
}

struct json_span json_cursor_take(struct json_cursor *c)
{
	const char *from = c->p;

	c->p = value_end(from, c->end);
	return (struct json_span){ from, (size_t)(c->p - from) };
}

bool json_cursor_key(struct json_cursor *c, struct json_span *key)
{
	if (!json_cursor_next(c))
		return false;
	*key = json_cursor_take(c);
	c->p = skip_blanks(c->p, c->end);
	/* Past the colon. */
	c->p = skip_blanks(c->p + 1, c->end);
	return true;
}

enum json_type json_cursor_type(const struct json_cursor *c)
{
	/* One byte tells, but for the two kinds of numbers. */
	return json_span_type((struct json_span){ c->p, 1 });
}

struct json_cursor json_cursor_enter(const struct json_cursor *c)
{
	return (struct json_cursor){ c->p + 1, c->end, true };
}

struct json_span json_cursor_leave(struct json_cursor *c,
				   const struct json_cursor *inner)
{
	const char *from = c->p;

	c->p = inner->p + 1;
	return (struct json_span){ from, (size_t)(c->p - from) };
}

bool json_cursor_element(struct json_cursor *c, struct json_span *v)
{
	if (!json_cursor_next(c))
		return false;
	*v = json_cursor_take(c);
	return true;
}

bool json_cursor_member(struct json_cursor *c, struct json_span *key,
			struct json_span *v)
{
	if (!json_cursor_key(c, key))
		return false;
	*v = json_cursor_take(c);
	return true;
}

/* Without an escape, a string is its own decoded form. */
static bool is_plain(struct json_span v)
{
	return !memchr(v.p, '\\', v.len);
}

char *json_span_str(struct arena *a, struct json_span v)
{
	if (json_span_type(v) != JSON_STR)
		BUG("a JSON string was expected");
	if (is_plain(v))
		return arena_strndup(a, v.p + 1, v.len - 2);
	return json_decode_string(a, v.p + 1, v.len - 2);
}

bool json_span_is(struct json_span v, const char *text)
{
	size_t len = strlen(text);
	struct arena *a;
	bool same;

	if (json_span_type(v) != JSON_STR)
		return false;
	if (is_plain(v))
		return v.len == len + 2 && !memcmp(v.p + 1, text, len);
	a = arena_new();
	same = !strcmp(json_span_str(a, v), text);
	arena_free(a);
	return same;
}

struct json_span json_span_get(struct json_span object, const char *name)
{
	struct json_cursor c;
	struct json_span key, v;

	if (json_span_type(object) != JSON_OBJECT)
		return (struct json_span){ NULL, 0 };
	c = json_cursor_open(object);
	while (json_cursor_member(&c, &key, &v))
		if (json_span_is(key, name))
			return v;
	return (struct json_span){ NULL, 0 };
}

bool json_span_parse(struct arena *a, struct json_span v,
		     struct json_object **out, struct err *e)
{
	return json_parse(a, v.p, v.len, out, e);
}

void json_span_write(struct buf *b, struct json_span v)
{
	const char *p = v.p, *end = v.p + v.len, *from;

	while (p < end) {
		if (is_blank(*p)) {
			p++;
			continue;
		}
		from = p;
		if (*p == '"')
			p = string_end(p, end);
		else
			while (p < end && !is_blank(*p) && *p != '"')
				p++;
		buf_add(b, from, (size_t)(p - from));
	}
}

size_t json_span_line(const char *text, struct json_span v)
{
	size_t line = 1;

	for (const char *p = text; p < v.p; p++)
		line += *p == '\n';
	return line;
}
