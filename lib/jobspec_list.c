/*
 * Reads the keys of a job that hold several values: words, environment,
 * pools, labels, tags, limits, files.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "lib/id.h"
#include "lib/jobspec_value.h"
#include "lib/words.h"

#define SEND_NAME_MAX 1024

static void add_comma(struct jobspec_reader *r, size_t i)
{
	if (i)
		buf_addc(&r->b, ',');
}

/* All elements are strings. */
static bool check_strings(struct jobspec_reader *r, struct json_object *list)
{
	for (size_t i = 0; i < json_len(list); i++) {
		enum json_type t = json_type(json_at(list, i));

		if (t != JSON_STR)
			return jobspec_fail(r,
					    "must be a list of strings: "
					    "number %zu is %s",
					    i + 1, json_type_name(t));
	}
	return true;
}

bool jobspec_read_argv(struct jobspec_reader *r,
		       const struct jobspec_rule *rule, struct json_object *v)
{
	(void)rule;
	if (json_type(v) != JSON_ARRAY)
		return jobspec_fail_type(r, "a list of strings", v);
	if (!check_strings(r, v))
		return false;
	if (!json_len(v) || !json_str_len(json_at(v, 0)))
		return jobspec_fail(r, "must begin with the program's name");
	json_write(&r->b, v);
	return true;
}

bool jobspec_read_args(struct jobspec_reader *r,
		       const struct jobspec_rule *rule, struct json_object *v)
{
	char **words;
	size_t n;

	(void)rule;
	if (json_type(v) == JSON_ARRAY) {
		if (!check_strings(r, v))
			return false;
		json_write(&r->b, v);
		return true;
	}
	if (json_type(v) != JSON_STR)
		return jobspec_fail_type(r, "a list of strings or one string",
					 v);
	if (!words_split(r->arena, json_str(v), &words, &n, r->e))
		return err_prefix(r->e, "%s%sthe key \"%s\"", r->where,
				  *r->where ? ": " : "", r->key);
	buf_addc(&r->b, '[');
	for (size_t i = 0; i < n; i++) {
		add_comma(r, i);
		buf_json_str(&r->b, words[i]);
	}
	buf_addc(&r->b, ']');
	return true;
}

/* Names with a text each, as tags, labels and the environment are. */
struct pairs {
	struct jobspec_reader *r;
	struct jobspec_tag *pair;
	size_t n;
	bool (*name_ok)(struct jobspec_reader *r, const char *name);
	size_t value_max;
};

static bool env_name_ok(struct jobspec_reader *r, const char *name)
{
	if (!strcmp(name, "P3S_EXECMODE"))
		r->exec_mode = true;
	return (*name && !strchr(name, '=')) ||
	       jobspec_fail(r,
			    "has a variable \"%.100s\": a name must not be "
			    "empty or contain \"=\"",
			    name);
}

static bool tag_name_ok(struct jobspec_reader *r, const char *name)
{
	return jobspec_name_ok(name) ||
	       jobspec_fail(r,
			    "has \"%.100s\", which is no name: 1 to %d "
			    "bytes without control characters, \"/\" and "
			    "blanks at its ends",
			    name, JOBSPEC_NAME_MAX);
}

/* Text as it is; numbers and truth values as JSON writes them. */
static const char *value_text(struct jobspec_reader *r, struct json_object *v)
{
	struct buf b = BUF_INIT;
	const char *s;

	switch (json_type(v)) {
	case JSON_STR:
		return json_str(v);
	case JSON_INT:
	case JSON_DOUBLE:
	case JSON_BOOL:
		json_write(&b, v);
		s = arena_strdup(r->arena, buf_str(&b));
		buf_fini(&b);
		return s;
	default:
		return NULL;
	}
}

static bool add_pair(const char *name, struct json_object *v, void *arg)
{
	struct pairs *p = arg;
	const char *value = value_text(p->r, v);

	if (!p->name_ok(p->r, name))
		return false;
	if (!value)
		return jobspec_fail(p->r,
				    "has \"%.100s\", which must be text, "
				    "not %s",
				    name, json_type_name(json_type(v)));
	if (strlen(value) > p->value_max)
		return jobspec_fail(p->r,
				    "has \"%.100s\" with %zu bytes, at "
				    "most %zu are allowed",
				    name, strlen(value), p->value_max);
	p->pair[p->n++] = (struct jobspec_tag){ name, value };
	return true;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct jobspec_tag *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void write_pairs(struct pairs *p)
{
	struct buf *b = &p->r->b;

	qsort(p->pair, p->n, sizeof(*p->pair), compare_pairs);
	buf_addc(b, '{');
	for (size_t i = 0; i < p->n; i++) {
		add_comma(p->r, i);
		buf_json_str(b, p->pair[i].name);
		buf_addc(b, ':');
		buf_json_str(b, p->pair[i].value);
	}
	buf_addc(b, '}');
}

/* A list of names, as they come. */
static bool read_names(struct jobspec_reader *r, struct json_object *list,
		       const char **out, size_t *n)
{
	if (!check_strings(r, list))
		return false;
	*n = json_len(list);
	for (size_t i = 0; i < *n; i++) {
		out[i] = json_str(json_at(list, i));
		if (!tag_name_ok(r, out[i]))
			return false;
	}
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* Sorted, and each name only once. */
static size_t unique(const char **names, size_t n)
{
	size_t kept = 0;

	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++)
		if (!kept || strcmp(names[kept - 1], names[i]) != 0)
			names[kept++] = names[i];
	return kept;
}

static bool check_count(struct jobspec_reader *r,
			const struct jobspec_rule *rule, struct json_object *v)
{
	return json_len(v) <= (size_t)rule->max ||
	       jobspec_fail(r,
			    "has %zu entries, at most %" PRId64 " are allowed",
			    json_len(v), rule->max);
}

/* The names of a list, sorted and unique. */
static const char **list_names(struct jobspec_reader *r, struct json_object *v,
			       size_t *n)
{
	const char **names =
		ARENA_ARRAY(r->arena, const char *, json_len(v) + 1);

	if (!read_names(r, v, names, n))
		return NULL;
	*n = unique(names, *n);
	names[*n] = NULL;
	return names;
}

/* An object of text, or a list of names, which gives "true" each. */
static bool read_pairs(struct pairs *p, const struct jobspec_rule *rule,
		       struct json_object *v)
{
	struct jobspec_reader *r = p->r;
	const char **names;
	size_t n;

	if (json_type(v) != JSON_OBJECT && json_type(v) != JSON_ARRAY)
		return jobspec_fail_type(r,
					 "an object of text or a list of "
					 "names",
					 v);
	if (!check_count(r, rule, v))
		return false;
	p->pair = ARENA_ARRAY(r->arena, struct jobspec_tag, json_len(v) + 1);
	if (json_type(v) == JSON_OBJECT) {
		if (!json_each(v, add_pair, p))
			return false;
	} else {
		names = list_names(r, v, &n);
		if (!names)
			return false;
		for (; p->n < n; p->n++)
			p->pair[p->n] =
				(struct jobspec_tag){ names[p->n], "true" };
	}
	write_pairs(p);
	return true;
}

bool jobspec_read_tags(struct jobspec_reader *r,
		       const struct jobspec_rule *rule, struct json_object *v)
{
	struct pairs p = { .r = r, .name_ok = tag_name_ok, .value_max = 1024 };

	if (!read_pairs(&p, rule, v))
		return false;
	r->out->tags = p.pair;
	r->out->n_tags = p.n;
	return true;
}

bool jobspec_read_labels(struct jobspec_reader *r,
			 const struct jobspec_rule *rule, struct json_object *v)
{
	struct pairs p = { .r = r,
			   .name_ok = tag_name_ok,
			   .value_max = JOBSPEC_NAME_MAX };

	if (!read_pairs(&p, rule, v))
		return false;
	r->out->labels = p.pair;
	r->out->n_labels = p.n;
	return true;
}

bool jobspec_read_env(struct jobspec_reader *r, const struct jobspec_rule *rule,
		      struct json_object *v)
{
	struct pairs p = { .r = r,
			   .name_ok = env_name_ok,
			   .value_max = (size_t)rule->max };

	if (json_type(v) != JSON_OBJECT)
		return jobspec_fail_type(r, "an object of text", v);
	p.pair = ARENA_ARRAY(r->arena, struct jobspec_tag, json_len(v) + 1);
	if (!json_each(v, add_pair, &p))
		return false;
	write_pairs(&p);
	return true;
}

bool jobspec_read_pools(struct jobspec_reader *r,
			const struct jobspec_rule *rule, struct json_object *v)
{
	struct jobspec *out = r->out;

	if (json_type(v) == JSON_STR) {
		if (!tag_name_ok(r, json_str(v)))
			return false;
		out->pools = ARENA_ARRAY(r->arena, const char *, 2);
		out->pools[0] = json_str(v);
		out->n_pools = 1;
	} else if (json_type(v) == JSON_ARRAY) {
		const char **names;

		if (!check_count(r, rule, v))
			return false;
		names = list_names(r, v, &out->n_pools);
		if (!names)
			return false;
		out->pools = names;
	} else {
		return jobspec_fail_type(r, "a list of names or one name", v);
	}
	buf_addc(&r->b, '[');
	for (size_t i = 0; i < out->n_pools; i++) {
		add_comma(r, i);
		buf_json_str(&r->b, out->pools[i]);
	}
	buf_addc(&r->b, ']');
	return true;
}

static bool add_limit(const char *name, struct json_object *v, void *arg)
{
	struct jobspec_reader *r = arg;
	int64_t count;

	if (!tag_name_ok(r, name))
		return false;
	if (json_type(v) != JSON_INT)
		return jobspec_fail(r,
				    "has \"%.100s\", which must be a whole "
				    "number, not %s",
				    name, json_type_name(json_type(v)));
	count = json_int(v);
	if (count < 1 || count > INT32_MAX)
		return jobspec_fail(r,
				    "has \"%.100s\", which must be from 1 "
				    "to %d, not %" PRId64,
				    name, INT32_MAX, count);
	r->out->limits[r->out->n_limits++] =
		(struct jobspec_limit){ name, (int32_t)count };
	return true;
}

static int compare_limits(const void *a, const void *b)
{
	const struct jobspec_limit *x = a, *y = b;

	return strcmp(x->name, y->name);
}

bool jobspec_read_limits(struct jobspec_reader *r,
			 const struct jobspec_rule *rule, struct json_object *v)
{
	struct jobspec *out = r->out;
	const char **names;
	size_t n;

	if (json_type(v) != JSON_OBJECT && json_type(v) != JSON_ARRAY)
		return jobspec_fail_type(r,
					 "an object of counts or a list of "
					 "names",
					 v);
	if (!check_count(r, rule, v))
		return false;
	out->limits =
		ARENA_ARRAY(r->arena, struct jobspec_limit, json_len(v) + 1);
	if (json_type(v) == JSON_OBJECT) {
		if (!json_each(v, add_limit, r))
			return false;
	} else {
		names = list_names(r, v, &n);
		if (!names)
			return false;
		for (; out->n_limits < n; out->n_limits++)
			out->limits[out->n_limits] =
				(struct jobspec_limit){ names[out->n_limits],
							1 };
	}
	qsort(out->limits, out->n_limits, sizeof(*out->limits), compare_limits);
	buf_addc(&r->b, '{');
	for (size_t i = 0; i < out->n_limits; i++)
		buf_json_kv_i64(&r->b, out->limits[i].name,
				out->limits[i].count);
	buf_addc(&r->b, '}');
	return true;
}

/* A relative path that stays below the working directory. */
static bool below_ok(const char *path)
{
	size_t len;

	if (strlen(path) > SEND_NAME_MAX)
		return false;
	for (const char *p = path;; p += len + 1) {
		len = strcspn(p, "/");
		if (len == 0 || len > 255 || (len == 1 && p[0] == '.') ||
		    (len == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		for (size_t i = 0; i < len; i++)
			if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
				return false;
		if (!p[len])
			return true;
	}
}

struct send {
	const char *name, *sha256, *mode;
	int64_t size;
	bool has_size;
};

static const struct json_field send_fields[] = {
	{ "name", JK_STR, offsetof(struct send, name), JF_REQUIRED, 0, 0, 0 },
	{ "sha256", JK_STR, offsetof(struct send, sha256), JF_REQUIRED, 0, 0,
	  0 },
	{ "size", JK_I64, offsetof(struct send, size), JF_LOOSE, 0,
	  INT64_C(1) << 60, offsetof(struct send, has_size) },
	{ "mode", JK_STR, offsetof(struct send, mode), 0, 0, 0, 0 },
};

/* Checks one file and appends its canonical form; hex gets its hash. */
static bool read_file(struct jobspec_reader *r, struct json_object *v, size_t i,
		      struct send *s, char hex[65])
{
	const char *where =
		arena_printf(r->arena,
			     "%s%sthe key \"send\": file "
			     "%zu",
			     r->where, *r->where ? ": " : "", i + 1);
	uint8_t hash[32];
	unsigned mode;

	*s = (struct send){ .mode = "0644" };
	if (!json_decode(v, send_fields, 4, s, where, r->e))
		return false;
	if (!below_ok(s->name))
		return err_set(r->e, ERR_BAD_REQUEST,
			       "%s: \"%.200s\" must be "
			       "a relative path without \"..\"",
			       where, s->name);
	if (!id_unhex(s->sha256, hash, sizeof(hash)))
		return err_set(r->e, ERR_BAD_REQUEST,
			       "%s: the key \"sha256\" "
			       "must be 64 hexadecimal digits",
			       where);
	if (!jobspec_parse_mode(s->mode, &mode))
		return err_set(r->e, ERR_BAD_REQUEST,
			       "%s: the key \"mode\" "
			       "must be octal digits from \"0\" to \"777\", "
			       "not \"%.100s\"",
			       where, s->mode);
	id_hex(hash, sizeof(hash), hex);
	add_comma(r, i);
	buf_addf(&r->b, "{\"mode\":\"%04o\",\"name\":", mode);
	buf_json_str(&r->b, s->name);
	buf_addf(&r->b, ",\"sha256\":\"%s\"", hex);
	if (s->has_size)
		buf_addf(&r->b, ",\"size\":%" PRId64, s->size);
	buf_addc(&r->b, '}');
	return true;
}

bool jobspec_read_send(struct jobspec_reader *r,
		       const struct jobspec_rule *rule, struct json_object *v)
{
	struct jobspec *out = r->out;
	const char **names;
	struct send s;
	char hex[65];

	if (json_type(v) != JSON_ARRAY)
		return jobspec_fail_type(r, "a list of files", v);
	if (!check_count(r, rule, v))
		return false;
	names = ARENA_ARRAY(r->arena, const char *, json_len(v) + 1);
	out->sends = ARENA_ARRAY(r->arena, const char *, json_len(v) + 1);
	buf_addc(&r->b, '[');
	for (size_t i = 0; i < json_len(v); i++) {
		if (!read_file(r, json_at(v, i), i, &s, hex))
			return false;
		names[i] = s.name;
		for (size_t k = 0; k < i; k++)
			if (!strcmp(names[k], s.name))
				return jobspec_fail(r,
						    "has the name \"%.200s"
						    "\" twice",
						    s.name);
		out->sends[out->n_sends++] = arena_strdup(r->arena, hex);
	}
	buf_addc(&r->b, ']');
	return true;
}
