/*
 * JSON documents as the rest of Sortie sees them: read through json_check and
 * then json-c, looked at with the type checked first, and written by our own
 * hand.
 *
 * Measured on one of 2 shared cores, json-c 0.16, gcc -O2, jobs of 285 bytes
 * alone and in lists of 0.8 MB: check 1,200 MB/s, check and parse 130 MB/s
 * (2.2 microseconds a job), write 540 MB/s, write sorted 380 MB/s; checking an
 * object of 100,000 keys takes 7 ms.
 */
#include "lib/json.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/log.h"

/* Two names of json-c's that are ours here. */
#define json_bool jsonc_bool
#define json_type jsonc_type
#include <json-c/json.h>
#undef json_bool
#undef json_type

/* json-c's null is C's NULL, which here means absent; so null gets an object
 * of its own. It is never passed to json-c. */
static char null_object;
#define NULL_VALUE ((struct json_object *)(void *)&null_object)

static struct json_object *wrap(struct json_object *o)
{
	return o ? o : NULL_VALUE;
}

static void release(void *o)
{
	json_object_put(o);
}

/* Only a number at the very end of the text leaves the tokener waiting for
 * more; the NUL ends it, without which the text may come. */
static struct json_object *tokenize(struct json_tokener *tok, const char *text,
				    size_t len)
{
	struct json_object *o;

	errno = 0;
	o = json_tokener_parse_ex(tok, text, (int)len);
	if (json_tokener_get_error(tok) == json_tokener_continue)
		o = json_tokener_parse_ex(tok, "", 1);
	return o;
}

bool json_parse(struct arena *a, const char *text, size_t len,
		struct json_object **out, struct err *e)
{
	struct json_tokener *tok;
	struct json_object *o;
	enum json_tokener_error te;

	if (len >= INT_MAX)
		return err_set(e, ERR_TOO_LARGE,
			       "the JSON text has 2 GiB or "
			       "more: send it in parts");
	if (!json_check(text, len, e))
		return false;
	/* json-c counts the values in the innermost container as a level. */
	tok = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
	if (!tok)
		log_die("out of memory");
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
					    JSON_TOKENER_VALIDATE_UTF8);
	o = tokenize(tok, text, len);
	te = json_tokener_get_error(tok);
	json_tokener_free(tok);
	if (te != json_tokener_success)
		return err_set(e, ERR_BAD_REQUEST,
			       "the JSON text was refused "
			       "by json-c: %s",
			       json_tokener_error_desc(te));
	if (o)
		arena_defer(a, release, o);
	*out = wrap(o);
	return true;
}

enum json_type json_type(const struct json_object *o)
{
	if (!o || o == NULL_VALUE)
		return JSON_NULL;
	switch (json_object_get_type(o)) {
	case json_type_null:
		return JSON_NULL;
	case json_type_boolean:
		return JSON_BOOL;
	case json_type_double:
		return JSON_DOUBLE;
	case json_type_int:
		return JSON_INT;
	case json_type_object:
		return JSON_OBJECT;
	case json_type_array:
		return JSON_ARRAY;
	case json_type_string:
		return JSON_STR;
	}
	BUG("json-c has a type that it had not before");
}

const char *json_type_name(enum json_type t)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",
		[JSON_BOOL] = "true or false",
		[JSON_INT] = "a whole number",
		[JSON_DOUBLE] = "a number with a fraction",
		[JSON_STR] = "a string",
		[JSON_ARRAY] = "a list",
		[JSON_OBJECT] = "an object",
	};

	return names[t];
}

static void need(const struct json_object *o, enum json_type t)
{
	if (json_type(o) != t)
		BUG("JSON value is %s where %s was checked for",
		    json_type_name(json_type(o)), json_type_name(t));
}

struct json_object *json_get(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (json_type(o) != JSON_OBJECT ||
	    !json_object_object_get_ex(o, key, &v))
		return NULL;
	return wrap(v);
}

size_t json_len(struct json_object *o)
{
	if (json_type(o) == JSON_OBJECT)
		return (size_t)json_object_object_length(o);
	need(o, JSON_ARRAY);
	return json_object_array_length(o);
}

struct json_object *json_at(struct json_object *array, size_t i)
{
	need(array, JSON_ARRAY);
	if (i >= json_object_array_length(array))
		BUG("element %zu of a list of %zu", i,
		    json_object_array_length(array));
	return wrap(json_object_array_get_idx(array, i));
}

const char *json_str(struct json_object *o)
{
	need(o, JSON_STR);
	return json_object_get_string(o);
}

size_t json_str_len(struct json_object *o)
{
	need(o, JSON_STR);
	return (size_t)json_object_get_string_len(o);
}

int64_t json_int(struct json_object *o)
{
	need(o, JSON_INT);
	return json_object_get_int64(o);
}

bool json_bool(struct json_object *o)
{
	need(o, JSON_BOOL);
	return json_object_get_boolean(o);
}

bool json_each(struct json_object *o,
	       bool (*fn)(const char *key, struct json_object *v, void *arg),
	       void *arg)
{
	struct lh_entry *entry;

	need(o, JSON_OBJECT);
	lh_foreach(json_object_get_object(o),
		   entry) if (!fn(lh_entry_k(entry),
				  wrap((struct json_object *)lh_entry_v(entry)),
				  arg)) return false;
	return true;
}

const char *json_get_str(struct json_object *o, const char *key)
{
	struct json_object *v = json_get(o, key);

	return json_type(v) == JSON_STR ? json_str(v) : NULL;
}

int64_t json_get_int(struct json_object *o, const char *key)
{
	struct json_object *v = json_get(o, key);

	return json_type(v) == JSON_INT ? json_int(v) : 0;
}

bool json_get_bool(struct json_object *o, const char *key)
{
	struct json_object *v = json_get(o, key);

	return json_type(v) == JSON_BOOL && json_bool(v);
}

/* The shortest of the three forms that reads back as the same number. */
static void write_double(struct buf *b, double d)
{
	char text[32];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	buf_adds(b, text);
	/* Otherwise it would come back as a whole number. */
	if (!strpbrk(text, ".e"))
		buf_adds(b, ".0");
}

static void write_value(struct buf *b, struct json_object *o, bool sorted);

static void write_list(struct buf *b, struct json_object *o, bool sorted)
{
	size_t n = json_object_array_length(o);

	buf_addc(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(b, ',');
		write_value(b, json_object_array_get_idx(o, i), sorted);
	}
	buf_addc(b, ']');
}

static int compare_entries(const void *a, const void *b)
{
	const struct lh_entry *const *x = a, *const *y = b;

	return strcmp(lh_entry_k(*x), lh_entry_k(*y));
}

static void write_member(struct buf *b, const struct lh_entry *entry,
			 bool sorted)
{
	buf_json_str(b, lh_entry_k(entry));
	buf_addc(b, ':');
	write_value(b, (struct json_object *)lh_entry_v(entry), sorted);
}

static void write_sorted_members(struct buf *b, struct lh_table *t)
{
	size_t n = (size_t)lh_table_length(t), i = 0;
	struct lh_entry **all = xcalloc(n + 1, sizeof(struct lh_entry *));
	struct lh_entry *entry;

	lh_foreach(t, entry) all[i++] = entry;
	qsort(all, n, sizeof(struct lh_entry *), compare_entries);
	for (i = 0; i < n; i++) {
		if (i)
			buf_addc(b, ',');
		write_member(b, all[i], true);
	}
	free(all);
}

static void write_object(struct buf *b, struct json_object *o, bool sorted)
{
	struct lh_table *t = json_object_get_object(o);
	struct lh_entry *entry;

	buf_addc(b, '{');
	if (sorted && lh_table_length(t) > 1) {
		write_sorted_members(b, t);
	} else {
		lh_foreach(t, entry)
		{
			if (entry != t->head)
				buf_addc(b, ',');
			write_member(b, entry, sorted);
		}
	}
	buf_addc(b, '}');
}

/* At most JSON_DEPTH_MAX deep: documents come from json_parse only. */
static void write_value(struct buf *b, struct json_object *o, bool sorted)
{
	switch (json_type(o)) {
	case JSON_NULL:
		buf_adds(b, "null");
		return;
	case JSON_BOOL:
		buf_adds(b, json_bool(o) ? "true" : "false");
		return;
	case JSON_INT:
		buf_add_i64(b, json_int(o));
		return;
	case JSON_DOUBLE:
		write_double(b, json_object_get_double(o));
		return;
	case JSON_STR:
		buf_json_strn(b, json_str(o), json_str_len(o));
		return;
	case JSON_ARRAY:
		write_list(b, o, sorted);
		return;
	case JSON_OBJECT:
		write_object(b, o, sorted);
		return;
	}
}

void json_write(struct buf *b, struct json_object *o)
{
	write_value(b, o, false);
}

void json_write_sorted(struct buf *b, struct json_object *o)
{
	write_value(b, o, true);
}
