/*
 * What a request to create a workflow says beside its document.
 */
#include <string.h>
#include "lib/dag_reader.h"
#include "lib/units.h"
#include "lib/workflow.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* To find the nearest one of. */
static const char *const keys[] = {
	"dag",      "version",    "key",         "names",    "fileinfo",
	"jobinfo",  "name",       "description", "project",  "env",
	"callback", "priority",   "max_running", "state",    "open",
	"close",    "on_failure", "jobs",        "datasets", "join",
	"document",
};

/* Those of a document that have no meaning of their own here, and the one
 * under which a whole document may stand. */
static const char *const document_keys[] = { "jobs", "datasets", "graphml",
					     "join", "document" };

static bool read_text(struct dag_reader *r, const char *key, struct json_span v,
		      const char **out)
{
	if (json_span_type(v) != JSON_STR)
		return dag_fail_type(
			r, v, arena_printf(r->d->arena, "the key \"%s\"", key),
			"a string");
	*out = json_span_str(r->d->arena, v);
	return **out || dag_fail(r, v, "the key \"%s\" must not be empty", key);
}

static bool read_version(struct dag_reader *r, struct json_span v, int32_t *out)
{
	struct err ignored = ERR_INIT;
	int64_t n = 0;

	if (json_span_type(v) != JSON_INT ||
	    !units_parse_i64(arena_strndup(r->d->arena, v.p, v.len), 1,
			     INT32_MAX, &n, &ignored))
		return dag_fail(r, v,
				"the key \"version\" must be a whole number "
				"from 1");
	*out = (int32_t)n;
	return true;
}

static bool read_names(struct dag_reader *r, struct json_span v,
		       const char **out)
{
	if (!read_text(r, "names", v, out))
		return false;
	return !strcmp(*out, "uuid") || !strcmp(*out, "sticky") ||
	       (!strncmp(*out, "inherit:", 8) && (*out)[8]) ||
	       dag_fail(r, v,
			"the key \"names\" must be \"uuid\", \"sticky\" or "
			"\"inherit:NAME\", not \"%.100s\"",
			*out);
}

static bool read_object(struct dag_reader *r, const char *key,
			struct json_span v, struct json_span *out)
{
	if (json_span_type(v) != JSON_OBJECT)
		return dag_fail_type(
			r, v, arena_printf(r->d->arena, "the key \"%s\"", key),
			"an object");
	*out = v;
	return true;
}

static bool read_own(struct dag_reader *r, struct json_span key,
		     struct json_span v, struct workflow_options *o)
{
	for (size_t i = 0; i < COUNT(document_keys); i++)
		if (json_span_is(key, document_keys[i])) {
			o->has_jobs |= i == 0 || json_span_is(key, "document");
			return true;
		}
	if (json_span_type(v) == JSON_NULL)
		return true;
	if (json_span_is(key, "dag"))
		return read_text(r, "dag", v, &o->dag);
	if (json_span_is(key, "version"))
		return read_version(r, v, &o->version);
	if (json_span_is(key, "key"))
		return read_text(r, "key", v, &o->key);
	if (json_span_is(key, "names"))
		return read_names(r, v, &o->names);
	if (json_span_is(key, "fileinfo"))
		return read_object(r, "fileinfo", v, &o->fileinfo);
	if (json_span_is(key, "jobinfo"))
		return read_object(r, "jobinfo", v, &o->jobinfo);
	return dag_fail_key(r, key, "", keys, COUNT(keys));
}

static void take_header(struct workflow_options *o, const struct dag *d,
			struct json_span key)
{
	if (json_span_is(key, "name"))
		o->name = d->name;
	else if (json_span_is(key, "description"))
		o->description = d->description;
	else if (json_span_is(key, "project"))
		o->project = d->project;
	o->env = d->env;
	o->callback = d->callback;
	o->priority = d->priority;
	o->has_priority = d->has_priority;
	o->max_running = d->max_running;
	o->has_max_running |= json_span_is(key, "max_running");
	o->held = d->held;
	o->has_state = d->has_state;
	o->open = d->open;
	o->has_open |= json_span_is(key, "open");
	o->close_auto = d->close_auto;
	o->has_close |= json_span_is(key, "close");
	o->cancel_on_failure = d->cancel_on_failure;
	o->has_on_failure |= json_span_is(key, "on_failure");
}

static bool read_members(struct dag_reader *r, struct json_span body,
			 struct workflow_options *o)
{
	struct json_cursor c = json_cursor_open(body);
	struct json_span key, v;
	bool known;

	while (json_cursor_member(&c, &key, &v)) {
		known = false;
		if (!json_span_is(key, "join") &&
		    !dag_read_header(r, key, v, &known))
			return false;
		if (!known && !read_own(r, key, v, o))
			return false;
		if (known && json_span_type(v) != JSON_NULL)
			take_header(o, r->d, key);
	}
	if (o->dag && o->has_jobs)
		return dag_fail(r, body,
				"the keys \"dag\" and \"jobs\" exclude each "
				"other");
	return o->dag || o->has_jobs ||
	       dag_fail(r, body,
			"\"dag\", the name of a stored one, or \"jobs\" is "
			"needed");
}

bool workflow_options_read(struct arena *a, const char *text, size_t len,
			   struct workflow_options *out, struct err *e)
{
	struct dag_reader r = { .source = "", .e = e };
	struct json_span body;
	bool ok;

	*out = (struct workflow_options){ 0 };
	if (len > DAG_DOCUMENT_MAX)
		return err_set(e, ERR_TOO_LARGE,
			       "the request has %zu bytes, at most %zu are "
			       "allowed: make an open workflow and add the "
			       "jobs to it in pieces",
			       len, DAG_DOCUMENT_MAX);
	if (!json_check_deep(text, len, DAG_DEPTH_MAX, e))
		return false;
	r.d = dag_new(a);
	r.text = arena_strndup(a, text, len);
	r.end = r.text + len;
	body = json_span_of(r.text, len);
	if (json_span_type(body) != JSON_OBJECT)
		ok = dag_fail(&r, body, "the request must be an object, not %s",
			      json_type_name(json_span_type(body)));
	else
		ok = read_members(&r, body, out);
	dag_reader_fini(&r);
	return ok;
}
