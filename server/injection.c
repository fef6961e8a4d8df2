/* A file that an injector found: see injection.h. */
#include "server/injection.h"

#include <stddef.h>
#include <string.h>
#include "lib/jobspec.h"
#include "lib/workflow.h"

#define VARIABLE "P3S_INPUT_FILE"
#define STREAM_BYTES_MAX 400
#define TIME_BYTES_MAX 40
#define EDGES_MAX 1000

#define N_FIELDS(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT(key, member, flags, max)                                      \
	{                                                                  \
		key, JK_STR, offsetof(struct injection, member), flags, 0, \
			max, 0                                             \
	}

static const struct json_field fields[] = {
	TEXT("stream", stream, JF_REQUIRED, STREAM_BYTES_MAX),
	TEXT("path", path, JF_REQUIRED, WORKFLOW_PATH_MAX),
	TEXT("site", site, 0, JOBSPEC_NAME_MAX),
	TEXT("datatype", datatype, 0, JOBSPEC_NAME_MAX),
	TEXT("modified_at", modified_at, JF_REQUIRED, TIME_BYTES_MAX),
	TEXT("seen_at", seen_at, JF_REQUIRED, TIME_BYTES_MAX),
	TEXT("complete_at", complete_at, JF_REQUIRED, TIME_BYTES_MAX),
	{ "version", JK_I32, offsetof(struct injection, version), 0, 1,
	  INT32_MAX, 0 },
	{ "size", JK_I64, offsetof(struct injection, size), JF_REQUIRED, 0,
	  INT64_MAX, 0 },
	{ "edges", JK_ARRAY, offsetof(struct injection, edges), 0, 0, 0, 0 },
	{ "workflow", JK_OBJECT, offsetof(struct injection, workflow), 0, 0, 0,
	  0 },
	{ "job", JK_OBJECT, offsetof(struct injection, job), 0, 0, 0, 0 },
};

static bool path_ok(const char *path, struct err *e)
{
	if (path[0] != '/' && strncmp(path, "file:///", 8) != 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "the key \"path\" must begin with \"/\" or "
			       "\"file:///\"");
	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return err_set(e, ERR_BAD_REQUEST,
				       "the key \"path\" has control "
				       "characters: write it as a file: URI");
	return true;
}

/* The database reads the rest; words such as "now" are none of ours. */
static bool time_ok(const char *s, const char *key, struct err *e)
{
	if (strspn(s, "0123456789") == 4 && s[4] == '-' &&
	    s[strspn(s, "0123456789-+:.TZ")] == '\0')
		return true;
	return err_set(e, ERR_BAD_REQUEST,
		       "the key \"%s\" must be a time such as "
		       "\"2026-11-22T07:00:00.000Z\"",
		       key);
}

static bool edges_ok(const struct injection *in, struct err *e)
{
	size_t n = in->edges != NULL ? json_len(in->edges) : 0;

	if (n > EDGES_MAX)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"edges\" has more than %d elements",
			       EDGES_MAX);
	for (size_t i = 0; i < n; i++)
		if (json_type(json_at(in->edges, i)) != JSON_STR)
			return err_set(e, ERR_BAD_REQUEST,
				       "\"edges\" is a list of \"FROM:TO\"");
	return n == 0 || in->workflow != NULL ||
	       err_set(e, ERR_BAD_REQUEST, "\"edges\" are a workflow's");
}

bool injection_read(struct json_object *doc, struct injection *out,
		    struct err *e)
{
	*out = (struct injection){ .site = "", .version = 1 };
	if (!json_decode(doc, fields, N_FIELDS(fields), out, "the body", e) ||
	    !path_ok(out->path, e) ||
	    !time_ok(out->modified_at, "modified_at", e) ||
	    !time_ok(out->seen_at, "seen_at", e) ||
	    !time_ok(out->complete_at, "complete_at", e))
		return false;
	if (out->stream[0] == '\0')
		return err_set(e, ERR_BAD_REQUEST,
			       "the key \"stream\" is empty");
	if ((out->workflow == NULL) == (out->job == NULL))
		return err_set(e, ERR_BAD_REQUEST,
			       "say what to make of the file: \"workflow\" or "
			       "\"job\"");
	return edges_ok(out, e);
}

/* Edges */

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static void lay_file(const struct injection *in, struct dag *d,
		     const struct dag_edge *edge)
{
	struct dag_data *data = &d->data[edge->data];

	data->uri = in->path;
	data->name = file_name(in->path);
	data->directory = NULL;
	data->site = in->site;
	if (in->datatype != NULL)
		data->datatype = in->datatype;
}

static bool named_edge(const struct injection *in, struct dag *d,
		       const char *name, struct err *e)
{
	bool found = false;

	for (uint32_t i = 0; i < d->n_edges; i++) {
		if (d->edges[i].data == DAG_NONE ||
		    !dag_edge_is_named(d, &d->edges[i], name))
			continue;
		lay_file(in, d, &d->edges[i]);
		found = true;
	}
	return found ||
	       err_set(e, ERR_BAD_REQUEST,
		       "\"%.600s\" names no edge with a file: write it "
		       "\"FROM:TO\" or \"FROM:TO:TAG\"",
		       name);
}

static void source_edges(const struct injection *in, struct dag *d,
			 struct arena *a)
{
	bool *has_parent = ARENA_ARRAY(a, bool, d->n_nodes);

	for (uint32_t i = 0; i < d->n_edges; i++)
		has_parent[d->edges[i].to] = true;
	for (uint32_t i = 0; i < d->n_edges; i++) {
		const struct dag_edge *edge = &d->edges[i];

		if (edge->data != DAG_NONE && edge->from < d->n_nodes &&
		    d->nodes[edge->from].noop && !has_parent[edge->from])
			lay_file(in, d, edge);
	}
}

bool injection_into_dag(const struct injection *in, struct dag *d,
			struct arena *a, struct err *e)
{
	size_t n = in->edges != NULL ? json_len(in->edges) : 0;

	for (size_t i = 0; i < n; i++)
		if (!named_edge(in, d, json_str(json_at(in->edges, i)), e))
			return false;
	if (n == 0)
		source_edges(in, d, a);
	return true;
}

/* Jobs */

struct copy {
	struct buf *b;
	struct json_object *env, *inputs;
};

static bool copy_variable(const char *key, struct json_object *v, void *arg)
{
	struct buf *b = arg;

	if (strcmp(key, VARIABLE) != 0) {
		buf_json_key(b, key);
		json_write(b, v);
	}
	return true;
}

void injection_env(const struct injection *in, struct json_object *env,
		   struct buf *b)
{
	buf_addc(b, '{');
	if (env != NULL)
		(void)json_each(env, copy_variable, b);
	buf_json_kv_str(b, VARIABLE, in->path);
	buf_addc(b, '}');
}

/* What is of a wrong type stays where it is, to be refused by its name. */
static bool copy_member(const char *key, struct json_object *v, void *arg)
{
	struct copy *c = arg;

	if (strcmp(key, "env") == 0 && json_type(v) == JSON_OBJECT) {
		c->env = v;
	} else if (strcmp(key, "inputs") == 0 && json_type(v) == JSON_ARRAY) {
		c->inputs = v;
	} else {
		buf_json_key(c->b, key);
		json_write(c->b, v);
	}
	return true;
}

static bool may_add(struct json_object *job, const char *key,
		    struct json_object *taken)
{
	struct json_object *v = json_get(job, key);

	return taken != NULL || v == NULL || json_type(v) == JSON_NULL;
}

void injection_into_job(const struct injection *in, struct buf *b)
{
	struct copy c = { .b = b };

	buf_addc(b, '{');
	(void)json_each(in->job, copy_member, &c);
	if (may_add(in->job, "env", c.env)) {
		buf_json_key(b, "env");
		injection_env(in, c.env, b);
	}
	if (may_add(in->job, "inputs", c.inputs)) {
		buf_json_key(b, "inputs");
		buf_addc(b, '[');
		for (size_t i = 0; c.inputs != NULL && i < json_len(c.inputs);
		     i++) {
			buf_json_comma(b);
			json_write(b, json_at(c.inputs, i));
		}
		buf_json_comma(b);
		buf_json_str(b, in->path);
		buf_addc(b, ']');
	}
	buf_addc(b, '}');
}

void injection_params(const struct injection *in, struct db_params *p)
{
	db_p_text(p, in->stream);
	db_p_text(p, in->path);
	db_p_i32(p, in->version);
	db_p_text(p, in->site);
	db_p_i64(p, in->size);
	db_p_text(p, in->modified_at);
	db_p_text(p, in->seen_at);
	db_p_text(p, in->complete_at);
	db_p_text(p, in->datatype);
}
