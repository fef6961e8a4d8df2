/*
 * Reads the JSON form of a dag: sees what kind of document it is, hands its
 * parts to those who know them, and has the whole checked.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "lib/dag_reader.h"
#include "lib/nearest.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What may stand beside the document in a request (lib/workflow.h). */
static const char *const options[] = { "dag",   "version",  "key",
				       "names", "fileinfo", "jobinfo" };

static const char *const document_keys[] = {
	"name",        "description", "project",    "priority", "env",
	"max_running", "join",        "on_failure", "state",    "open",
	"close",       "callback",    "jobs",       "datasets", "graphml",
};

/* What says something of the jobs that are added; the rest of a header is said
 * of the workflow, once. */
static const char *const addition_keys[] = { "env", "join", "priority" };

static bool in_text(const struct dag_reader *r, struct json_span at)
{
	return at.p && at.p >= r->text && at.p <= r->end;
}

bool dag_fail(struct dag_reader *r, struct json_span at, const char *fmt, ...)
{
	char sentence[900];
	const char *sep = *r->source ? ": " : "";
	size_t line = r->line;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	if (!line && in_text(r, at))
		line = json_span_line(r->text, at);
	if (!line)
		return err_set(r->e, ERR_BAD_REQUEST, "%s%s%s", r->source, sep,
			       sentence);
	return err_set(r->e, ERR_BAD_REQUEST, "%s%sline %zu: %s", r->source,
		       sep, line, sentence);
}

bool dag_fail_large(struct dag_reader *r, const char *fmt, ...)
{
	char sentence[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	return err_set(
		r->e, ERR_TOO_LARGE,
		"%s%sthe document has too many %s: make an open workflow "
		"and add the jobs to it in pieces",
		r->source, *r->source ? ": " : "", sentence);
}

bool dag_fail_type(struct dag_reader *r, struct json_span v, const char *where,
		   const char *expected)
{
	return dag_fail(r, v, "%s must be %s, not %s", where, expected,
			json_type_name(json_span_type(v)));
}

bool dag_fail_key(struct dag_reader *r, struct json_span key, const char *where,
		  const char *const *known, size_t n)
{
	const char *name = json_span_str(r->d->arena, key);
	struct nearest near;

	nearest_init(&near, name);
	for (size_t i = 0; i < n; i++)
		nearest_try(&near, known[i]);
	if (near.name)
		return dag_fail(r, key,
				"%sunknown key \"%.100s\": did you mean "
				"\"%s\"?",
				where, name, near.name);
	return dag_fail(r, key, "%sunknown key \"%.100s\"", where, name);
}

/* The parts that are read when the header is known. */
struct parts {
	struct json_span jobs, datasets, graphml;
};

static bool is_option(struct json_span key)
{
	for (size_t i = 0; i < COUNT(options); i++)
		if (json_span_is(key, options[i]))
			return true;
	return false;
}

static bool header_ok(struct dag_reader *r, struct json_span key)
{
	if ((r->flags & DAG_ADDITION) == 0)
		return true;
	for (size_t i = 0; i < COUNT(addition_keys); i++)
		if (json_span_is(key, addition_keys[i]))
			return true;
	return dag_fail(r, key,
			"the key \"%s\" is about the whole workflow, which is "
			"there already: change it with PATCH, or leave it out",
			json_span_str(r->d->arena, key));
}

static bool read_member(struct dag_reader *r, struct json_span key,
			struct json_span v, struct parts *p)
{
	bool known = false;

	if (json_span_is(key, "jobs"))
		p->jobs = v;
	else if (json_span_is(key, "datasets"))
		p->datasets = v;
	else if (json_span_is(key, "graphml"))
		p->graphml = v;
	else if (!dag_read_header(r, key, v, &known))
		return false;
	else if (!known && !((r->flags & DAG_REQUEST) && is_option(key)))
		return dag_fail_key(r, key, "", document_keys,
				    COUNT(document_keys));
	else if (known)
		return header_ok(r, key);
	return true;
}

static bool read_object(struct dag_reader *r, struct json_span doc)
{
	struct json_cursor c = json_cursor_open(doc);
	struct parts p = { 0 };
	struct json_span key, v;

	while (json_cursor_member(&c, &key, &v))
		if (!read_member(r, key, v, &p))
			return false;
	if (!p.jobs.p)
		return dag_fail(r, doc,
				"the document has no \"jobs\": an object of "
				"jobs by name, or a list of jobs with a "
				"\"name\" each");
	return (!p.graphml.p || dag_read_graphml(r, p.graphml)) &&
	       dag_read_jobs(r, p.jobs) && dag_read_after(r) &&
	       (!p.datasets.p || dag_read_datasets(r, p.datasets));
}

/* A tree is its root, which has children and needs no "jobs" around it. */
static bool is_tree(struct json_span doc)
{
	struct json_cursor c = json_cursor_open(doc);
	struct json_span key, v;
	bool children = false;

	while (json_cursor_member(&c, &key, &v)) {
		if (json_span_is(key, "jobs"))
			return false;
		children |= json_span_is(key, "children");
	}
	return children;
}

static bool read_document(struct dag_reader *r, struct json_span doc)
{
	switch (json_span_type(doc)) {
	case JSON_ARRAY:
		return dag_read_jobs(r, doc) && dag_read_after(r);
	case JSON_OBJECT:
		if (!is_tree(doc))
			return read_object(r, doc);
		if (!dag_read_tree(r, doc) || !dag_read_after(r))
			return false;
		r->d->name = r->d->nodes[0].name;
		return true;
	default:
		return dag_fail(r, doc,
				"the document must be an object with \"jobs\""
				", or a list of jobs, not %s",
				json_type_name(json_span_type(doc)));
	}
}

bool dag_read(struct arena *a, const char *text, size_t len, const char *source,
	      unsigned flags, struct dag **out, struct err *e)
{
	struct dag_reader r = { .source = source, .flags = flags, .e = e };
	const char *sep = *source ? ": " : "";
	bool ok;

	if (len > DAG_DOCUMENT_MAX)
		return err_set(e, ERR_TOO_LARGE,
			       "%s%sthe document has %zu bytes, at most %zu "
			       "are allowed: make an open workflow and add the "
			       "jobs to it in pieces",
			       source, sep, len, DAG_DOCUMENT_MAX);
	if (!json_check_deep(text, len, DAG_DEPTH_MAX, e))
		return *source ? err_prefix(e, "%s", source) : false;
	r.d = dag_new(a);
	r.text = arena_strndup(a, text, len);
	r.end = r.text + len;
	ok = read_document(&r, json_span_of(r.text, len)) && dag_check(&r);
	dag_reader_fini(&r);
	*out = r.d;
	return ok;
}
