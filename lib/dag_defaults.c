/*
 * What the keys of GraphML say of the nodes and edges that do not say
 * otherwise: looked at once where the key stands, then taken over.
 */
#include <string.h>
#include "lib/dag_reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Keys of jobs whose text in GraphML is JSON. env stays a text, so that it
 * comes out as it came in. */
static const char *const structured[] = { "args",   "argv",     "config",
					  "inputs", "labels",   "limits",
					  "matrix", "metadata", "outputs",
					  "pools",  "send",     "tags" };

/* Of a job's keys in a node, those that mean something else there. */
static const char *const not_in_nodes[] = { "name", "after", "attributes",
					    "children", "replicas" };

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], name))
			return true;
	return false;
}

bool dag_is_node_key(struct arena *a, const char *name)
{
	return !is_one_of(name, not_in_nodes, COUNT(not_in_nodes)) &&
	       dag_is_job_key(json_span_quoted(a, name));
}

/* A whole number as it would be written again. */
static bool is_number(const char *s)
{
	const char *digits = s + (*s == '-');
	size_t n = strspn(digits, "0123456789");

	return n > 0 && n < 19 && !digits[n] && (n == 1 || *digits != '0') &&
	       strcmp(s, "-0") != 0;
}

struct json_span dag_key_value(struct arena *a, const struct dag_key *k,
			       const char *text)
{
	struct err ignored = ERR_INIT;
	bool raw =
		!strcmp(k->type, "boolean")
			? !strcmp(text, "true") || !strcmp(text, "false")
		: !strcmp(k->type, "int") || !strcmp(k->type, "long")
			? is_number(text)
			: is_one_of(k->name, structured, COUNT(structured)) &&
				  (*text == '[' || *text == '{') &&
				  json_check(text, strlen(text), &ignored);

	return raw ? json_span_of(text, strlen(text))
		   : json_span_quoted(a, text);
}

/* What is wrong is said of the key, which has a line. */
static bool check_value(struct dag_reader *r, const struct dag_key *k,
			struct json_span key, struct json_span v)
{
	const char *where = arena_printf(
		r->d->arena, "the default of the key \"%.100s\"", k->id);
	struct buf b = BUF_INIT;
	bool ok;

	buf_addc(&b, '{');
	buf_add(&b, key.p, key.len);
	buf_addc(&b, ':');
	json_span_write(&b, v);
	buf_addc(&b, '}');
	ok = dag_check_job(r, json_span_of(buf_str(&b), b.len), where);
	buf_fini(&b);
	return ok;
}

static bool apply_to_nodes(struct dag_reader *r, const struct dag_key *k)
{
	struct dag *d = r->d;
	struct json_span key = json_span_quoted(d->arena, k->name);
	struct json_span v = dag_key_value(d->arena, k, k->def);

	if (!dag_is_node_key(d->arena, k->name))
		return true;
	if ((r->flags & DAG_VALUES) && !check_value(r, k, key, v))
		return false;
	for (uint32_t i = 0; i < d->n_nodes; i++)
		if (!json_span_get(d->nodes[i].job, k->name).p &&
		    !dag_read_job_key(r, i, key, v))
			return false;
	return true;
}

static bool apply_to_edges(struct dag_reader *r, const struct dag_key *k)
{
	struct dag *d = r->d;
	const char **field = dag_data_field(&d->defaults, k->name);
	const char *where;

	if (field)
		*field = k->def;
	if (strcmp(k->name, "on") != 0)
		return true;
	where = arena_printf(d->arena,
			     "the default of the key \"%.100s\": ", k->id);
	if (!dag_read_cond(r, json_span_quoted(d->arena, k->def), where,
			   &d->edge_cond))
		return false;
	for (uint32_t i = 0; i < d->n_edges; i++) {
		struct dag_edge *e = &d->edges[i];

		if (e->data != DAG_NONE && !d->data[e->data].has_on)
			e->cond = d->edge_cond;
	}
	return true;
}

bool dag_apply_defaults(struct dag_reader *r)
{
	struct dag *d = r->d;
	bool ok = true;

	d->edge_cond = d->join_any ? DAG_ALWAYS : DAG_SUCCESS;
	for (uint32_t i = 0; ok && i < d->n_keys; i++) {
		const struct dag_key *k = &d->keys[i];

		if (!k->def)
			continue;
		r->line = k->line;
		if (dag_key_is_for(k, "edge"))
			ok = apply_to_edges(r, k);
		if (ok && dag_key_is_for(k, "node"))
			ok = apply_to_nodes(r, k);
	}
	r->line = 0;
	return ok;
}
