/* Reads files of graphs and writes them as documents of the server. */
#include "clients/graphfile.h"

#include <string.h>
#include "clients/body.h"
#include "clients/slurp.h"
#include "lib/graphml.h"
#include "lib/units.h"

const char *graphfile_name(struct arena *a, const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash != NULL ? slash + 1 : file;
	const char *dot = strrchr(base, '.');

	if (strcmp(file, "-") == 0)
		return NULL;
	return dot != NULL && dot > base
		       ? arena_strndup(a, base, (size_t)(dot - base))
		       : base;
}

/* Whoever took the wrong file is not told of its first comma. */
static bool is_document(const struct buf *b, const char *source, struct err *e)
{
	size_t blank = strspn(buf_str(b), " \t\r\n");
	char c = buf_str(b)[blank];

	if (c == '\0' || c == '{' || c == '[')
		return true;
	return err_set(e, ERR_BAD_REQUEST,
		       "%s: it begins neither as JSON does ('{' or '[') nor as "
		       "GraphML ('<')",
		       source);
}

bool graphfile_read(struct cli *c, const char *file, unsigned flags,
		    struct dag **out, struct err *e)
{
	const char *source = strcmp(file, "-") == 0 ? "standard input" : file;
	struct buf b = BUF_INIT;
	bool ok = slurp_file(file, DAG_DOCUMENT_MAX, &b, e);

	if (ok && graphml_probe(b.data, b.len))
		ok = graphml_read(c->arena, b.data, b.len, source, out, e);
	else if (ok)
		ok = is_document(&b, source, e) &&
		     dag_read(c->arena, b.data, b.len, source,
			      flags | DAG_VALUES, out, e);
	buf_fini(&b);
	return ok;
}

static bool set_number(const char *option, const char *text, int64_t min,
		       int32_t *out, struct err *e)
{
	int64_t n;

	if (text == NULL)
		return true;
	if (!units_parse_i64(text, min, INT32_MAX, &n, e))
		return err_prefix(e, "--%s", option);
	*out = (int32_t)n;
	return true;
}

static void set_state(struct dag *d, const char *state)
{
	if (state == NULL)
		return;
	d->has_state = true;
	d->held = strcmp(state, "held") == 0 || strcmp(state, "template") == 0;
}

/* Is the member of the document's env given on the command line too? */
static bool is_given(const char *const *env, struct json_span key)
{
	for (; *env != NULL; env++) {
		size_t len = strcspn(*env, "=");

		if (key.len == len + 2 && memcmp(key.p + 1, *env, len) == 0)
			return true;
	}
	return false;
}

/* The document's variables, then those of the command line over them. */
static bool set_env(struct cli *c, struct dag *d, const char *const *env,
		    struct err *e)
{
	struct json_span key, v;
	struct buf b = BUF_INIT;
	bool ok;

	if (env == NULL || env[0] == NULL)
		return true;
	buf_addc(&b, '{');
	if (d->env.p != NULL) {
		struct json_cursor cursor = json_cursor_open(d->env);

		while (json_cursor_member(&cursor, &key, &v)) {
			if (is_given(env, key))
				continue;
			if (b.len > 1)
				buf_addc(&b, ',');
			buf_add(&b, key.p, key.len);
			buf_addc(&b, ':');
			buf_add(&b, v.p, v.len);
		}
	}
	ok = body_env(&b, env, e);
	buf_addc(&b, '}');
	d->env.p = arena_strndup(c->arena, buf_str(&b), b.len);
	d->env.len = b.len;
	buf_fini(&b);
	return ok;
}

static void set_callback(struct cli *c, struct dag *d,
			 const char *const *callback)
{
	struct buf b = BUF_INIT;

	if (callback == NULL || callback[0] == NULL)
		return;
	buf_addc(&b, '[');
	for (size_t i = 0; callback[i] != NULL; i++) {
		if (i > 0)
			buf_addc(&b, ',');
		buf_json_str(&b, callback[i]);
	}
	buf_addc(&b, ']');
	d->callback.p = arena_strndup(c->arena, buf_str(&b), b.len);
	d->callback.len = b.len;
	buf_fini(&b);
}

static bool set_header(struct cli *c, struct dag *d,
		       const struct graphfile_header *h, struct err *e)
{
	if (h->name != NULL)
		d->name = h->name;
	if (h->description != NULL)
		d->description = h->description;
	if (h->project != NULL)
		d->project = h->project;
	if (h->priority != NULL)
		d->has_priority = true;
	d->open = d->open || h->open;
	d->close_auto = d->close_auto || h->close_auto;
	set_callback(c, d, h->callback);
	set_state(d, h->state);
	if (h->on_failure != NULL)
		d->cancel_on_failure = strcmp(h->on_failure, "cancel") == 0;
	return set_number("priority", h->priority, INT32_MIN, &d->priority,
			  e) &&
	       set_number("max-running", h->max_running, 1, &d->max_running,
			  e) &&
	       set_env(c, d, h->env, e);
}

bool graphfile_document(struct cli *c, const char *file,
			const struct graphfile_header *h, unsigned flags,
			const char *extra, struct buf *out, struct err *e)
{
	const char *name = graphfile_name(c->arena, file);
	struct buf document = BUF_INIT;
	struct dag *d;

	if (!graphfile_read(c, file, flags, &d, e) || !set_header(c, d, h, e))
		return false;
	/* What is added has no name of its own; a tree has its root's. */
	if ((flags & DAG_ADDITION) != 0)
		d->name = "";
	else if (d->name[0] == '\0' && name != NULL)
		d->name = name;
	dag_write_json(&document, d);
	buf_addc(out, '{');
	buf_adds(out, extra);
	if (extra[0] != '\0' && document.len > 2)
		buf_addc(out, ',');
	buf_add(out, document.data + 1, document.len - 1);
	buf_fini(&document);
	return true;
}
