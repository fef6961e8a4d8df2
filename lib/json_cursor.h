/*
 * Walks over JSON text in place, without making objects of it: how a document
 * of megabytes is cut into jobs that are then read one at a time.  The text
 * must have passed json_check or json_check_deep before; the cursor itself
 * checks nothing and aborts (BUG) where the text is not JSON.
 */
#ifndef SORTIE_LIB_JSON_CURSOR_H
#define SORTIE_LIB_JSON_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/arena.h"
#include "lib/json.h"

/* One value as it stands in the text, without blanks around it. */
struct json_span {
	const char *p; /* NULL: absent */
	size_t len;
};

/* Stands between two elements or members, or before a value. */
struct json_cursor {
	const char *p, *end;
	bool first;
};

/* As json_check, for texts that may be nested up to depth levels. */
bool json_check_deep(const char *text, size_t len, unsigned depth,
		     struct err *e) MUST_CHECK;

/* What a string's text between its quotes stands for. The text was checked. */
char *json_decode_string(struct arena *a, const char *p, size_t len);

/* The value of a whole text: the text without blanks at its ends. */
struct json_span json_span_of(const char *text, size_t len);
/* The text as a JSON string, in a. */
struct json_span json_span_quoted(struct arena *a, const char *text);
enum json_type json_span_type(struct json_span v);
/* v is a list or an object (BUG otherwise). */
struct json_cursor json_cursor_open(struct json_span v);
/* Moves to the next element of a list, or to the next member's value; false
 * at the end. The value must then be taken or entered. */
bool json_cursor_next(struct json_cursor *c);
bool json_cursor_key(struct json_cursor *c, struct json_span *key);
struct json_span json_cursor_take(struct json_cursor *c);
/* The list or object that c stands before, without looking for its end;
 * leave it when inner is at its end. Gives the value's text. */
enum json_type json_cursor_type(const struct json_cursor *c);
struct json_cursor json_cursor_enter(const struct json_cursor *c);
struct json_span json_cursor_leave(struct json_cursor *c,
				   const struct json_cursor *inner);
/* Both at once. The next element of a list; false at its end. */
bool json_cursor_element(struct json_cursor *c, struct json_span *v);
/* The next member of an object; key is the quoted text of the key. */
bool json_cursor_member(struct json_cursor *c, struct json_span *key,
			struct json_span *v);
/* The decoded text of a string. */
char *json_span_str(struct arena *a, struct json_span v);
/* Whether a string, decoded, is that text. */
bool json_span_is(struct json_span v, const char *text);
/* The member of that name of an object; p NULL when there is none. */
struct json_span json_span_get(struct json_span object, const char *name);
/* Makes an object of it; the text is checked already and not too deep, or
 * else refused. */
bool json_span_parse(struct arena *a, struct json_span v,
		     struct json_object **out, struct err *e) MUST_CHECK;
/* The same value without blanks between its parts, appended to b. */
void json_span_write(struct buf *b, struct json_span v);
/* The line of the text that v begins in, from 1. */
size_t json_span_line(const char *text, struct json_span v);

#endif
