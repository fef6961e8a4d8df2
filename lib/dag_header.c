/*
 * The header of a document: what is said once about all of its jobs.
 */
#include <stddef.h>
#include <string.h>
#include "lib/dag_reader.h"
#include "lib/jobspec.h"
#include "lib/units.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HEADER_ENV_MAX ((size_t)128 << 10)
#define KEYS_MAX 1000

enum kind {
	TEXT,   /* const char * */
	NAME,   /* const char *, a name as projects have it */
	NUMBER, /* int32_t, from min; text of digits is accepted */
	WORD,   /* bool: true for the second of two words */
	TRUTH,  /* bool */
	VALUE   /* struct json_span */
};

/* dag_header.c is the master of these words. */
static const struct field {
	const char *key;
	enum kind kind;
	int32_t min;          /* of a TEXT: most bytes */
	size_t offset, seen;  /* seen: of a bool, 0 = none */
	const char *words[4]; /* VALUE: what is expected */
} fields[] = {
	{ "name", TEXT, 256, offsetof(struct dag, name), 0, { NULL } },
	{ "description",
	  TEXT,
	  65536,
	  offsetof(struct dag, description),
	  0,
	  { NULL } },
	{ "project", NAME, 0, offsetof(struct dag, project), 0, { NULL } },
	{ "priority",
	  NUMBER,
	  INT32_MIN,
	  offsetof(struct dag, priority),
	  offsetof(struct dag, has_priority),
	  { NULL } },
	{ "max_running",
	  NUMBER,
	  0,
	  offsetof(struct dag, max_running),
	  0,
	  { NULL } },
	{ "env", VALUE, 0, offsetof(struct dag, env), 0, { NULL } },
	{ "on_failure",
	  WORD,
	  0,
	  offsetof(struct dag, cancel_on_failure),
	  0,
	  { "continue", "cancel" } },
	{ "join",
	  WORD,
	  0,
	  offsetof(struct dag, join_any),
	  0,
	  { "all", "any" } },
	{ "state",
	  WORD,
	  0,
	  offsetof(struct dag, held),
	  offsetof(struct dag, has_state),
	  { "running", "held", "defined", "template" } },
	{ "open", TRUTH, 0, offsetof(struct dag, open), 0, { NULL } },
	{ "close",
	  WORD,
	  0,
	  offsetof(struct dag, close_auto),
	  0,
	  { "", "auto" } },
	{ "callback", VALUE, 0, offsetof(struct dag, callback), 0, { NULL } },
};

static const char *where(struct dag_reader *r, const struct field *f)
{
	return arena_printf(r->d->arena, "the key \"%s\"", f->key);
}

static bool read_text(struct dag_reader *r, const struct field *f,
		      struct json_span v, const char **out)
{
	if (json_span_type(v) != JSON_STR)
		return dag_fail_type(r, v, where(r, f), "a string");
	*out = json_span_str(r->d->arena, v);
	if (f->kind == NAME)
		return jobspec_name_ok(*out) ||
		       dag_fail(r, v,
				"the key \"%s\" must be a name: 1 to %d bytes "
				"without control characters, \"/\" and blanks "
				"at its ends",
				f->key, JOBSPEC_NAME_MAX);
	return strlen(*out) <= (size_t)f->min ||
	       dag_fail(r, v,
			"the key \"%s\" has %zu bytes, at most %d are allowed",
			f->key, strlen(*out), f->min);
}

static bool read_number(struct dag_reader *r, const struct field *f,
			struct json_span v, int32_t *out)
{
	enum json_type t = json_span_type(v);
	struct err ignored = ERR_INIT;
	int64_t n;
	char *text;

	if (t != JSON_INT && t != JSON_STR)
		return dag_fail_type(r, v, where(r, f), "a whole number");
	text = t == JSON_STR ? json_span_str(r->d->arena, v)
			     : arena_strndup(r->d->arena, v.p, v.len);
	if (!units_parse_i64(text, f->min, INT32_MAX, &n, &ignored))
		return dag_fail(r, v,
				"the key \"%s\" must be a whole number from "
				"%d to %d, not %.100s",
				f->key, f->min, INT32_MAX, text);
	*out = (int32_t)n;
	return true;
}

/* Two words, and for some two more that mean the same. */
static bool read_word(struct dag_reader *r, const struct field *f,
		      struct json_span v, bool *out)
{
	for (size_t i = 0; i < 4 && f->words[i]; i++) {
		if (json_span_is(v, f->words[i])) {
			*out = i % 2;
			return true;
		}
	}
	if (json_span_type(v) != JSON_STR)
		return dag_fail_type(r, v, where(r, f), "a string");
	return dag_fail(r, v,
			"the key \"%s\" must be \"%s\" or \"%s\", not "
			"\"%.100s\"",
			f->key, f->words[0], f->words[1],
			json_span_str(r->d->arena, v));
}

static bool read_truth(struct dag_reader *r, const struct field *f,
		       struct json_span v, bool *out)
{
	bool text = json_span_type(v) == JSON_STR;

	if (!text && json_span_type(v) != JSON_BOOL)
		return dag_fail_type(r, v, where(r, f), "true or false");
	*out = v.p[text] == 't';
	return !text || json_span_is(v, "true") || json_span_is(v, "false") ||
	       dag_fail_type(r, v, where(r, f), "true or false");
}

/* GraphML has texts only: one that holds an object is read as that. */
static bool unwrap(struct dag_reader *r, struct json_span *v)
{
	struct err ignored = ERR_INIT;
	char *text;

	if (json_span_type(*v) != JSON_STR)
		return true;
	text = json_span_str(r->d->arena, *v);
	if (!json_check(text, strlen(text), &ignored))
		return false;
	*v = json_span_of(text, strlen(text));
	return true;
}

static bool read_env(struct dag_reader *r, struct json_span v,
		     struct json_span *out)
{
	struct json_span at = v, key, value;
	struct json_cursor c;

	if (!unwrap(r, &v) || json_span_type(v) != JSON_OBJECT)
		return dag_fail_type(r, at, "the key \"env\"",
				     "an object of text");
	if (v.len > HEADER_ENV_MAX)
		return dag_fail(r, at,
				"the key \"env\" has %zu bytes, at most %zu "
				"are allowed for all jobs together",
				v.len, HEADER_ENV_MAX);
	for (c = json_cursor_open(v); json_cursor_member(&c, &key, &value);) {
		enum json_type t = json_span_type(value);

		if (t == JSON_OBJECT || t == JSON_ARRAY || t == JSON_NULL)
			return dag_fail(r, at,
					"\"%.100s\" in the key \"env\" must "
					"be text, not %s",
					json_span_str(r->d->arena, key),
					json_type_name(t));
	}
	*out = v;
	return true;
}

static bool read_callback(struct dag_reader *r, struct json_span v,
			  struct json_span *out)
{
	struct json_cursor c;
	struct json_span url;

	*out = v;
	if (json_span_type(v) == JSON_STR)
		return true;
	if (json_span_type(v) != JSON_ARRAY)
		return dag_fail_type(r, v, "the key \"callback\"",
				     "a URL or a list of URLs");
	for (c = json_cursor_open(v); json_cursor_element(&c, &url);)
		if (json_span_type(url) != JSON_STR)
			return dag_fail_type(r, url,
					     "a URL of the key \"callback\"",
					     "a string");
	return true;
}

static bool read_field(struct dag_reader *r, const struct field *f,
		       struct json_span v)
{
	void *out = (char *)r->d + f->offset;

	if (f->seen)
		*(bool *)((char *)r->d + f->seen) = true;
	switch (f->kind) {
	case TEXT:
	case NAME:
		return read_text(r, f, v, out);
	case NUMBER:
		return read_number(r, f, v, out);
	case WORD:
		return read_word(r, f, v, out);
	case TRUTH:
		return read_truth(r, f, v, out);
	case VALUE:
		break;
	}
	return !strcmp(f->key, "env") ? read_env(r, v, out)
				      : read_callback(r, v, out);
}

bool dag_read_header(struct dag_reader *r, struct json_span key,
		     struct json_span v, bool *known)
{
	*known = true;
	for (size_t i = 0; i < COUNT(fields); i++)
		if (json_span_is(key, fields[i].key))
			return json_span_type(v) == JSON_NULL ||
			       read_field(r, &fields[i], v);
	*known = false;
	return true;
}

/* A text of the description of GraphML; *out stays when it is absent. */
static bool graphml_text(struct dag_reader *r, struct json_span v,
			 const char *name, const char **out)
{
	struct json_span text = json_span_get(v, name);

	if (json_span_type(text) == JSON_NULL)
		return true;
	if (json_span_type(text) != JSON_STR)
		return dag_fail_type(r, text,
				     arena_printf(r->d->arena,
						  "\"graphml\": the key \"%s\"",
						  name),
				     "a string");
	*out = json_span_str(r->d->arena, text);
	return true;
}

static bool read_key(struct dag_reader *r, struct json_span v,
		     struct dag_key *k)
{
	*k = (struct dag_key){ .type = "string", .scope = "all" };
	if (json_span_type(v) != JSON_OBJECT)
		return dag_fail_type(r, v, "\"graphml\": each of its keys",
				     "an object");
	if (!graphml_text(r, v, "id", &k->id) ||
	    !graphml_text(r, v, "name", &k->name) ||
	    !graphml_text(r, v, "type", &k->type) ||
	    !graphml_text(r, v, "for", &k->scope) ||
	    !graphml_text(r, v, "default", &k->def))
		return false;
	return (k->id && k->name) ||
	       dag_fail(r, v,
			"\"graphml\": each of its keys needs an \"id\" "
			"and a \"name\"");
}

bool dag_read_graphml(struct dag_reader *r, struct json_span v)
{
	struct json_span keys, attrs, key;
	struct json_cursor c;
	struct dag *d = r->d;

	if (json_span_type(v) != JSON_OBJECT)
		return dag_fail_type(r, v, "the key \"graphml\"", "an object");
	d->graphml = true;
	if (!graphml_text(r, v, "id", &d->graph_id))
		return false;
	keys = json_span_get(v, "keys");
	if (json_span_type(keys) == JSON_ARRAY) {
		d->keys = ARENA_ARRAY(d->arena, struct dag_key, KEYS_MAX);
		for (c = json_cursor_open(keys);
		     json_cursor_element(&c, &key);) {
			if (d->n_keys == KEYS_MAX)
				return dag_fail(r, key,
						"\"graphml\": more than %d "
						"keys",
						KEYS_MAX);
			if (!read_key(r, key, &d->keys[d->n_keys]))
				return false;
			d->n_keys++;
		}
	} else if (keys.p) {
		return dag_fail_type(r, keys, "\"graphml\": \"keys\"",
				     "a list");
	}
	attrs = json_span_get(v, "attributes");
	return !attrs.p || dag_read_attrs(r, attrs, &d->attrs);
}
