/*
 * What the keys of a document's jobs say, read as it will be when jobs are made
 * of it, so that a person who wrote a file is told of it with its line.
 */
#include <string.h>
#include "lib/dag_reader.h"
#include "lib/jobspec.h"

static const char *const commands[] = { "payload", "argv", "shell" };

static bool is_command(struct json_span key)
{
	for (size_t i = 0; i < 3; i++)
		if (json_span_is(key, commands[i]))
			return true;
	return false;
}

static bool is_blank(const char *s)
{
	return !s[strspn(s, " \t\r\n")];
}

/* p3s has env as a text that holds JSON. */
static bool add_env(struct dag_reader *r, struct buf *b, struct json_span v,
		    const char *where)
{
	struct err why = ERR_INIT;
	char *text;

	if (json_span_type(v) == JSON_STR) {
		text = json_span_str(r->d->arena, v);
		if (is_blank(text))
			return true;
		if (!json_check(text, strlen(text), &why))
			return dag_fail(r, v,
					"%s: the key \"env\" is a text that is "
					"not JSON: %s",
					where, why.text);
		v = json_span_of(text, strlen(text));
	}
	buf_json_key(b, "env");
	json_span_write(b, v);
	return true;
}

static bool add_member(struct dag_reader *r, struct buf *b, const char *where,
		       struct json_span key, struct json_span v, bool *command)
{
	if (json_span_type(v) == JSON_NULL || json_span_is(key, "name") ||
	    dag_is_own_key(key))
		return true;
	if (is_command(key)) {
		if (json_span_is(v, ""))
			return true;
		*command = true;
	}
	if (json_span_is(key, "env"))
		return add_env(r, b, v, where);
	buf_json_comma(b);
	buf_add(b, key.p, key.len);
	buf_addc(b, ':');
	json_span_write(b, v);
	return true;
}

static bool decode(struct dag_reader *r, const struct buf *b,
		   struct json_span job, const char *where)
{
	struct arena *a = arena_new();
	struct err why = ERR_INIT;
	struct json_object *o;
	struct jobspec spec;
	bool ok = json_parse(a, b->data, b->len, &o, &why) &&
		  jobspec_decode(a, o, where, &spec, &why);

	arena_free(a);
	return ok || dag_fail(r, job, "%s", why.text);
}

bool dag_check_job(struct dag_reader *r, struct json_span job,
		   const char *where)
{
	struct json_cursor c = json_cursor_open(job);
	struct json_span key, v;
	struct buf b = BUF_INIT;
	bool ok = true, command = false;

	buf_addc(&b, '{');
	while (ok && json_cursor_member(&c, &key, &v))
		ok = add_member(r, &b, where, key, v, &command);
	if (!command)
		buf_json_kv_raw(&b, "argv", "[\"true\"]");
	buf_addc(&b, '}');
	ok = ok && decode(r, &b, job, where);
	buf_fini(&b);
	return ok;
}

bool dag_check_values(struct dag_reader *r, uint32_t node)
{
	const struct dag_node *n = &r->d->nodes[node];

	return dag_check_job(
		r, n->job,
		arena_printf(r->d->arena, "job \"%.256s\"", n->name));
}
