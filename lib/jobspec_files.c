/*
 * Reads the keys of a job that name files it reads and writes: what the pilot
 * looks for before the payload starts and when it has ended.
 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include "lib/jobspec_value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PATH_MAX_BYTES 4095
#define TAG_MAX 256

/* One file; of check, optional and sha256 a list knows its own. */
struct file {
	const char *path, *tag;
	bool check, optional, sha256;
};

static const struct json_field input_fields[] = {
	{ "path", JK_STR, offsetof(struct file, path), JF_REQUIRED, 0,
	  PATH_MAX_BYTES, 0 },
	{ "tag", JK_STR, offsetof(struct file, tag), 0, 0, TAG_MAX, 0 },
	{ "check", JK_BOOL, offsetof(struct file, check), 0, 0, 0, 0 },
};

static const struct json_field output_fields[] = {
	{ "path", JK_STR, offsetof(struct file, path), JF_REQUIRED, 0,
	  PATH_MAX_BYTES, 0 },
	{ "tag", JK_STR, offsetof(struct file, tag), 0, 0, TAG_MAX, 0 },
	{ "optional", JK_BOOL, offsetof(struct file, optional), 0, 0, 0, 0 },
	{ "sha256", JK_BOOL, offsetof(struct file, sha256), 0, 0, 0, 0 },
};

static bool check_file(struct jobspec_reader *r, const struct file *f, size_t i)
{
	if (!*f->path)
		return jobspec_fail(r, "has file %zu without a path", i + 1);
	if (strlen(f->path) > PATH_MAX_BYTES)
		return jobspec_fail(r,
				    "has a path of %zu bytes, at most %d are "
				    "allowed",
				    strlen(f->path), PATH_MAX_BYTES);
	return !*f->tag || jobspec_variable_ok(f->tag) ||
	       jobspec_fail(r,
			    "has the tag \"%.100s\", which cannot be the name "
			    "of a variable: use letters, digits and \"_\"",
			    f->tag);
}

/* A path, or an object with one. */
static bool read_file(struct jobspec_reader *r, struct json_object *v, size_t i,
		      const struct json_field *fields, size_t n_fields,
		      struct file *f)
{
	*f = (struct file){ .path = "", .tag = "", .check = true };
	if (json_type(v) == JSON_STR)
		f->path = json_str(v);
	else if (json_type(v) != JSON_OBJECT)
		return jobspec_fail(r,
				    "must be a list of paths and objects with "
				    "a path: number %zu is %s",
				    i + 1, json_type_name(json_type(v)));
	else if (!json_decode(v, fields, n_fields, f,
			      arena_printf(r->arena,
					   "%s%sthe key \"%s\": file %zu",
					   r->where, *r->where ? ": " : "",
					   r->key, i + 1),
			      r->e))
		return false;
	return check_file(r, f, i);
}

/* What is as it is without being said is not written. */
static void write_file(struct buf *b, const struct file *f)
{
	buf_json_comma(b);
	buf_addc(b, '{');
	if (!f->check)
		buf_json_kv_bool(b, "check", false);
	if (f->optional)
		buf_json_kv_bool(b, "optional", true);
	buf_json_kv_str(b, "path", f->path);
	if (f->sha256)
		buf_json_kv_bool(b, "sha256", true);
	if (*f->tag)
		buf_json_kv_str(b, "tag", f->tag);
	buf_addc(b, '}');
}

static bool read_files(struct jobspec_reader *r,
		       const struct jobspec_rule *rule, struct json_object *v,
		       const struct json_field *fields, size_t n_fields)
{
	struct file *files;

	if (json_type(v) != JSON_ARRAY)
		return jobspec_fail_type(r, "a list of files", v);
	if (json_len(v) > (size_t)rule->max)
		return jobspec_fail(
			r, "has %zu entries, at most %" PRId64 " are allowed",
			json_len(v), rule->max);
	files = ARENA_ARRAY(r->arena, struct file, json_len(v) + 1);
	buf_addc(&r->b, '[');
	for (size_t i = 0; i < json_len(v); i++) {
		if (!read_file(r, json_at(v, i), i, fields, n_fields,
			       &files[i]))
			return false;
		for (size_t k = 0; k < i; k++)
			if (!strcmp(files[k].path, files[i].path) &&
			    !strcmp(files[k].tag, files[i].tag))
				return jobspec_fail(
					r, "has the path \"%.200s\" twice",
					files[i].path);
		write_file(&r->b, &files[i]);
	}
	buf_addc(&r->b, ']');
	return true;
}

bool jobspec_read_inputs(struct jobspec_reader *r,
			 const struct jobspec_rule *rule, struct json_object *v)
{
	return read_files(r, rule, v, input_fields, COUNT(input_fields));
}

bool jobspec_read_outputs(struct jobspec_reader *r,
			  const struct jobspec_rule *rule,
			  struct json_object *v)
{
	return read_files(r, rule, v, output_fields, COUNT(output_fields));
}
