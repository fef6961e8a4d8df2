/*
 * The jobs of a document: by name, in a list, or as a tree of children.  What
 * belongs to the graph is taken note of; the job itself stays the text that
 * it is until it is needed.
 */
#include <string.h>
#include "lib/dag_reader.h"
#include "lib/jobspec.h"

/* Keys of a job that only a document has. */
static const char *const own_keys[] = { "after",      "allow_failure",
					"attributes", "children",
					"join",       "matrix",
					"noop" };

#define N_OWN (sizeof(own_keys) / sizeof(own_keys[0]))
#define KEYS_MAX 64

static const char *job_where(struct dag_reader *r, uint32_t node)
{
	const char *name = r->d->nodes[node].name;

	if (!name)
		return arena_printf(r->d->arena, "job %u: ", node + 1);
	return arena_printf(r->d->arena, "job \"%.256s\": ", name);
}

static const char *key_where(struct dag_reader *r, uint32_t node,
			     const char *key)
{
	return arena_printf(r->d->arena, "%sthe key \"%s\"", job_where(r, node),
			    key);
}

static bool is_key(struct json_span key, const char *name)
{
	return key.p[1] == name[0] && json_span_is(key, name);
}

bool dag_is_own_key(struct json_span key)
{
	for (size_t i = 0; i < N_OWN; i++)
		if (is_key(key, own_keys[i]))
			return true;
	return false;
}

bool dag_is_job_key(struct json_span key)
{
	for (size_t i = 0; i < jobspec_n_keys; i++)
		if (is_key(key, jobspec_keys[i].name))
			return true;
	return dag_is_own_key(key);
}

static bool fail_key(struct dag_reader *r, uint32_t node, struct json_span key)
{
	const char *known[KEYS_MAX + N_OWN];
	size_t n = 0;

	for (; n < jobspec_n_keys && n < KEYS_MAX; n++)
		known[n] = jobspec_keys[n].name;
	for (size_t i = 0; i < N_OWN; i++)
		known[n++] = own_keys[i];
	return dag_fail_key(r, key, job_where(r, node), known, n);
}

/* true, false, or (in GraphML) their names, as Python writes them too. */
static bool read_truth(struct dag_reader *r, uint32_t node, const char *key,
		       struct json_span v, bool *out)
{
	static const char *const yes[] = { "true", "True", "1" };
	static const char *const no[] = { "false", "False", "0" };

	if (json_span_type(v) == JSON_BOOL) {
		*out = *v.p == 't';
		return true;
	}
	for (size_t i = 0; i < 3; i++) {
		if (json_span_is(v, yes[i]) || json_span_is(v, no[i])) {
			*out = json_span_is(v, yes[i]);
			return true;
		}
	}
	return dag_fail_type(r, v, key_where(r, node, key), "true or false");
}

static bool read_join(struct dag_reader *r, uint32_t node, struct json_span v)
{
	r->d->nodes[node].any = json_span_is(v, "any");
	return r->d->nodes[node].any || json_span_is(v, "all") ||
	       dag_fail(r, v, "%s must be \"all\" or \"any\"",
			key_where(r, node, "join"));
}

static bool read_matrix(struct dag_reader *r, uint32_t node, struct json_span v)
{
	struct json_span given = v, env;
	struct json_cursor c;
	struct err ignored = ERR_INIT;
	size_t n = 0;
	char *text;

	/* As GraphML has it. */
	if (json_span_type(v) == JSON_STR) {
		text = json_span_str(r->d->arena, v);
		if (json_check(text, strlen(text), &ignored))
			v = json_span_of(text, strlen(text));
	}
	if (json_span_type(v) != JSON_ARRAY)
		return dag_fail_type(r, given, key_where(r, node, "matrix"),
				     "a list of environments");
	for (c = json_cursor_open(v); json_cursor_element(&c, &env); n++)
		if (json_span_type(env) != JSON_OBJECT)
			return dag_fail_type(
				r, given,
				arena_printf(r->d->arena, "%s: number %zu",
					     key_where(r, node, "matrix"),
					     n + 1),
				"an object of text");
	if (!n)
		return dag_fail(r, given, "%s has no environment",
				key_where(r, node, "matrix"));
	r->d->nodes[node].matrix = v;
	return true;
}

static bool read_attr(struct dag_reader *r, struct json_span name,
		      struct json_span v, struct dag_attr *out)
{
	struct dag *d = r->d;
	struct json_span id;

	*out = (struct dag_attr){ json_span_str(d->arena, name), NULL, DAG_NONE,
				  NULL };
	if (json_span_type(v) == JSON_OBJECT) {
		id = json_span_get(v, "key");
		for (uint32_t i = 0; id.p && i < d->n_keys; i++)
			if (json_span_is(id, d->keys[i].id))
				out->key = i;
		if (out->key == DAG_NONE)
			return dag_fail(r, v,
					"the attribute \"%.100s\" has a "
					"\"key\" that \"graphml\" does not "
					"tell of",
					out->name);
		v = json_span_get(v, "value");
	}
	switch (json_span_type(v)) {
	case JSON_NULL:
		return true;
	case JSON_STR:
		out->text = json_span_str(d->arena, v);
		return true;
	case JSON_BOOL:
	case JSON_INT:
	case JSON_DOUBLE:
		out->text = arena_strndup(d->arena, v.p, v.len);
		return true;
	default:
		return dag_fail_type(r, v,
				     arena_printf(d->arena,
						  "the attribute \"%.100s\"",
						  out->name),
				     "text");
	}
}

bool dag_read_attrs(struct dag_reader *r, struct json_span v,
		    struct dag_attr **out)
{
	struct json_cursor c;
	struct json_span key, value;

	if (json_span_type(v) != JSON_OBJECT)
		return dag_fail_type(r, v, "the key \"attributes\"",
				     "an object of text");
	for (c = json_cursor_open(v); json_cursor_member(&c, &key, &value);) {
		struct dag_attr *attr = ARENA_NEW(r->d->arena, struct dag_attr);

		if (!read_attr(r, key, value, attr))
			return false;
		*out = attr;
		out = &attr->next;
	}
	return true;
}

bool dag_read_job_key(struct dag_reader *r, uint32_t node, struct json_span key,
		      struct json_span v)
{
	struct dag_node *n = &r->d->nodes[node];

	if (json_span_type(v) == JSON_NULL)
		return dag_is_job_key(key) || fail_key(r, node, key);
	if (is_key(key, "after"))
		r->after[node] = v;
	else if (is_key(key, "allow_failure"))
		return read_truth(r, node, "allow_failure", v,
				  &n->allow_failure);
	else if (is_key(key, "attributes"))
		return dag_read_attrs(r, v, &n->attrs);
	else if (is_key(key, "join"))
		return read_join(r, node, v);
	else if (is_key(key, "matrix"))
		return read_matrix(r, node, v);
	else if (is_key(key, "noop"))
		return read_truth(r, node, "noop", v, &n->noop);
	else if (is_key(key, "jobtype"))
		n->noop |= json_span_is(v, "noop");
	else if (is_key(key, "replicas"))
		return dag_fail(r, key,
				"%sthe key \"replicas\" is not for jobs of a "
				"workflow: use \"matrix\"",
				job_where(r, node));
	else if (!dag_is_job_key(key))
		return fail_key(r, node, key);
	return true;
}

/* The object without the member from key to end. */
static struct json_span cut(struct dag_reader *r, struct json_span object,
			    const char *key, const char *end)
{
	const char *before = key, *tail = object.p + object.len;
	struct buf b = BUF_INIT;
	struct json_span out;

	while (before > object.p + 1 && before[-1] != ',' && before[-1] != '{')
		before--;
	if (before[-1] == ',') {
		before--;
	} else {
		while (*end != ',' && *end != '}')
			end++;
		end += *end == ',';
	}
	buf_add(&b, object.p, (size_t)(before - object.p));
	buf_add(&b, end, (size_t)(tail - end));
	out.len = b.len;
	out.p = arena_strndup(r->d->arena, buf_str(&b), b.len);
	buf_fini(&b);
	return out;
}

static bool read_container(struct dag_reader *r, struct json_cursor *c,
			   uint32_t parent);

static bool read_name(struct dag_reader *r, uint32_t node, struct json_span v)
{
	struct dag_node *n = &r->d->nodes[node];

	if (json_span_type(v) != JSON_STR)
		return dag_fail_type(r, v, key_where(r, node, "name"),
				     "a string");
	if (!n->name)
		return dag_name_node(r, v, node, json_span_str(r->d->arena, v));
	return json_span_is(v, n->name) ||
	       dag_fail(r, v,
			"%sthe key \"name\" says \"%.100s\": leave it out, "
			"for the key in \"jobs\" is the job's name",
			job_where(r, node), json_span_str(r->d->arena, v));
}

/* c stands before the job's object. name: NULL where the object tells it. */
static bool read_job(struct dag_reader *r, struct json_cursor *c,
		     struct json_span at, const char *name, uint32_t parent)
{
	struct json_cursor in;
	struct json_span key, v;
	const char *cut_from = NULL, *cut_to = NULL;
	uint32_t node;

	if (!dag_add_node(r, &node))
		return false;
	if (name && !dag_name_node(r, at, node, name))
		return false;
	r->parent[node] = parent;
	if (json_cursor_type(c) != JSON_OBJECT)
		return dag_fail(r, (struct json_span){ c->p, 1 },
				"%sit must be an object, not %s",
				job_where(r, node),
				json_type_name(json_cursor_type(c)));
	for (in = json_cursor_enter(c); json_cursor_key(&in, &key);) {
		if (is_key(key, "children") &&
		    json_cursor_type(&in) != JSON_NULL) {
			cut_from = key.p;
			if (!read_container(r, &in, node))
				return false;
			cut_to = in.p;
			continue;
		}
		v = json_cursor_take(&in);
		if (is_key(key, "name") ? !read_name(r, node, v)
					: !dag_read_job_key(r, node, key, v))
			return false;
	}
	v = json_cursor_leave(c, &in);
	if (!r->d->nodes[node].name)
		return dag_fail(r, v, "job %u has no \"name\"", node + 1);
	r->d->nodes[node].job = cut_from ? cut(r, v, cut_from, cut_to) : v;
	return !(r->flags & DAG_VALUES) || dag_check_values(r, node);
}

/* An object of jobs by name, or a list of jobs. */
static bool read_container(struct dag_reader *r, struct json_cursor *c,
			   uint32_t parent)
{
	enum json_type t = json_cursor_type(c);
	struct json_cursor in;
	struct json_span key, here = { c->p, 1 };

	if (t != JSON_OBJECT && t != JSON_ARRAY)
		return dag_fail(r, here,
				"%s must be an object of jobs by name or a "
				"list of jobs, not %s",
				parent == DAG_NONE
					? "the key \"jobs\""
					: key_where(r, parent, "children"),
				json_type_name(t));
	in = json_cursor_enter(c);
	if (t == JSON_ARRAY) {
		while (json_cursor_next(&in))
			if (!read_job(r, &in, here, NULL, parent))
				return false;
	} else {
		while (json_cursor_key(&in, &key))
			if (!read_job(r, &in, key,
				      json_span_str(r->d->arena, key), parent))
				return false;
	}
	json_cursor_leave(c, &in);
	return true;
}

bool dag_read_jobs(struct dag_reader *r, struct json_span jobs)
{
	struct json_cursor c = { jobs.p, jobs.p + jobs.len, false };

	return read_container(r, &c, DAG_NONE);
}

bool dag_read_tree(struct dag_reader *r, struct json_span job)
{
	struct json_cursor c = { job.p, job.p + job.len, false };

	return read_job(r, &c, job, NULL, DAG_NONE);
}
