/*
 * Turns a JSON object into a C struct by a table, so that every handler
 * refuses unknown keys, wrong types and numbers out of range in the same
 * words.
 */
#include <inttypes.h>
#include <string.h>
#include "lib/json.h"
#include "lib/nearest.h"
#include "lib/units.h"

struct decode {
	const struct json_field *fields;
	size_t n;
	char *out;
	const char *where;
	struct err *e;
};

/* What stands in front of "the key ...": "job 3: " or nothing. */
static const char *colon(const struct decode *d)
{
	return *d->where ? ": " : "";
}

static bool fail_type(const struct decode *d, const struct json_field *f,
		      const char *expected, struct json_object *v)
{
	return err_set(d->e, ERR_BAD_REQUEST,
		       "%s%sthe key \"%s\" must be %s, not %s", d->where,
		       colon(d), f->key, expected,
		       json_type_name(json_type(v)));
}

static bool fail_unknown(const struct decode *d, const char *key)
{
	struct nearest near;

	nearest_init(&near, key);
	for (size_t i = 0; i < d->n; i++)
		nearest_try(&near, d->fields[i].key);
	if (near.name)
		return err_set(d->e, ERR_BAD_REQUEST,
			       "%s%sunknown key \"%.100s\": did you mean "
			       "\"%s\"?",
			       d->where, colon(d), key, near.name);
	return err_set(d->e, ERR_BAD_REQUEST, "%s%sunknown key \"%.100s\"",
		       d->where, colon(d), key);
}

static bool in_range(const struct decode *d, const struct json_field *f,
		     int64_t v)
{
	int64_t min = f->min, max = f->max;

	if (!min && !max) {
		min = f->kind == JK_I32 ? INT32_MIN : INT64_MIN;
		max = f->kind == JK_I32 ? INT32_MAX : INT64_MAX;
	}
	if (v >= min && v <= max)
		return true;
	return err_set(d->e, ERR_BAD_REQUEST,
		       "%s%sthe key \"%s\" must be from %" PRId64 " to %" PRId64
		       ", not %" PRId64,
		       d->where, colon(d), f->key, min, max, v);
}

/* A number as text: plain digits, or with a unit. */
static bool parse_text(const struct decode *d, const struct json_field *f,
		       const char *s, int64_t *out)
{
	bool ok = f->kind == JK_SECONDS ? units_parse_seconds(s, out, d->e)
		  : f->kind == JK_BYTES
			  ? units_parse_bytes(s, out, d->e)
			  : units_parse_i64(s, INT64_MIN, INT64_MAX, out, d->e);

	return ok || err_prefix(d->e, "%s%sthe key \"%s\"", d->where, colon(d),
				f->key);
}

static bool decode_number(const struct decode *d, const struct json_field *f,
			  struct json_object *v, int64_t *out)
{
	bool unit = f->kind == JK_SECONDS || f->kind == JK_BYTES;
	enum json_type t = json_type(v);

	if (t == JSON_INT)
		*out = json_int(v);
	else if (t != JSON_STR || (!unit && !(f->flags & JF_LOOSE)))
		return fail_type(
			d, f,
			f->kind == JK_SECONDS
				? "a whole number of seconds or text such as "
				  "\"90 s\""
			: f->kind == JK_BYTES
				? "a whole number of bytes or text such as "
				  "\"2 GiB\""
				: "a whole number",
			v);
	else if (!parse_text(d, f, json_str(v), out))
		return false;
	return in_range(d, f, *out);
}

static bool decode_text(const struct decode *d, const struct json_field *f,
			struct json_object *v, const char **out)
{
	size_t len;

	if (json_type(v) != JSON_STR)
		return fail_type(d, f, "a string", v);
	len = json_str_len(v);
	if (f->max && len > (size_t)f->max)
		return err_set(
			d->e, ERR_BAD_REQUEST,
			"%s%sthe key \"%s\" has %zu bytes, at most %" PRId64
			" are allowed",
			d->where, colon(d), f->key, len, f->max);
	*out = json_str(v);
	return true;
}

static bool decode_object(const struct decode *d, const struct json_field *f,
			  struct json_object *v, enum json_type t)
{
	if (json_type(v) != t)
		return fail_type(d, f, json_type_name(t), v);
	*(struct json_object **)(void *)(d->out + f->offset) = v;
	return true;
}

static bool decode_value(const struct decode *d, const struct json_field *f,
			 struct json_object *v)
{
	void *field = d->out + f->offset;
	int64_t number = 0;

	switch (f->kind) {
	case JK_STR:
		return decode_text(d, f, v, field);
	case JK_BOOL:
		if (json_type(v) != JSON_BOOL)
			return fail_type(d, f, "true or false", v);
		*(bool *)field = json_bool(v);
		return true;
	case JK_I32:
		if (!decode_number(d, f, v, &number))
			return false;
		*(int32_t *)field = (int32_t)number;
		return true;
	case JK_I64:
	case JK_SECONDS:
	case JK_BYTES:
		return decode_number(d, f, v, field);
	case JK_OBJECT:
		return decode_object(d, f, v, JSON_OBJECT);
	case JK_ARRAY:
		return decode_object(d, f, v, JSON_ARRAY);
	case JK_ANY:
		*(struct json_object **)field = v;
		return true;
	}
	return false;
}

static bool decode_member(const char *key, struct json_object *v, void *arg)
{
	const struct decode *d = arg;

	for (size_t i = 0; i < d->n; i++) {
		const struct json_field *f = &d->fields[i];

		if (strcmp(f->key, key) != 0)
			continue;
		if (json_type(v) == JSON_NULL)
			return true;
		if (!decode_value(d, f, v))
			return false;
		if (f->seen_offset)
			*(bool *)(d->out + f->seen_offset) = true;
		return true;
	}
	return fail_unknown(d, key);
}

bool json_decode(struct json_object *o, const struct json_field *fields,
		 size_t n, void *out, const char *where, struct err *e)
{
	struct decode d = { fields, n, out, where, e };

	if (json_type(o) != JSON_OBJECT)
		return err_set(e, ERR_BAD_REQUEST,
			       "%s must be an object, "
			       "not %s",
			       *where ? where : "the document",
			       json_type_name(json_type(o)));
	if (!json_each(o, decode_member, &d))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((fields[i].flags & JF_REQUIRED) &&
		    json_type(json_get(o, fields[i].key)) == JSON_NULL)
			return err_set(e, ERR_BAD_REQUEST,
				       "%s%sthe key \"%s\" is missing", where,
				       colon(&d), fields[i].key);
	return true;
}
