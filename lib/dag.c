/*
 * A dag as a whole: how it grows, how its nodes are found by name, and in
 * which layer each of them stands.
 */
#include "lib/dag.h"

#include <stdlib.h>
#include <string.h>
#include "lib/dag_reader.h"
#include "lib/json_keys.h"

/* Open addressing; at most half full. */
struct dag_index {
	uint32_t *slot; /* node + 1; 0 = empty */
	size_t n_slots; /* a power of two */
};

static void release(void *p)
{
	struct dag *d = p;

	free(d->nodes);
	free(d->edges);
	free(d->data);
	free(d->outside);
	free(d->index->slot);
}

struct dag *dag_new(struct arena *a)
{
	struct dag *d = ARENA_NEW(a, struct dag);

	d->arena = a;
	d->name = d->description = d->project = "";
	d->index = ARENA_NEW(a, struct dag_index);
	arena_defer(a, release, d);
	return d;
}

void dag_reader_fini(struct dag_reader *r)
{
	free(r->place);
	free(r->after);
	free(r->parent);
}

/* The slot where the name is, or would be. */
static uint32_t *find_slot(const struct dag *d, const char *name, size_t len)
{
	struct dag_index *x = d->index;
	size_t i = json_keys_hash(name, len) & (x->n_slots - 1);
	const char *other;

	for (; x->slot[i]; i = (i + 1) & (x->n_slots - 1)) {
		other = d->nodes[x->slot[i] - 1].name;
		if (!strncmp(other, name, len) && !other[len])
			break;
	}
	return &x->slot[i];
}

static void put(struct dag *d, uint32_t node)
{
	const char *name = d->nodes[node].name;

	*find_slot(d, name, strlen(name)) = node + 1;
}

/* A node is only added when all in the table are below half of its slots, so
 * those before it are all there are. */
static void index_add(struct dag *d, uint32_t node)
{
	struct dag_index *x = d->index;

	if ((size_t)node * 2 >= x->n_slots) {
		free(x->slot);
		x->n_slots = x->n_slots ? x->n_slots * 2 : 64;
		x->slot = xcalloc(x->n_slots, sizeof(*x->slot));
		for (uint32_t i = 0; i < node; i++)
			if (d->nodes[i].name)
				put(d, i);
	}
	put(d, node);
}

static uint32_t find(const struct dag *d, const char *name, size_t len)
{
	uint32_t *slot;

	if (!d->index->n_slots || memchr(name, '\0', len))
		return DAG_NONE;
	slot = find_slot(d, name, len);
	return *slot ? *slot - 1 : DAG_NONE;
}

uint32_t dag_find(const struct dag *d, const char *name)
{
	return find(d, name, strlen(name));
}

static void *grow(void *p, uint32_t n, uint32_t *cap, size_t size)
{
	if (n < *cap)
		return p;
	*cap = *cap ? *cap * 2 : 16;
	return xrealloc(p, *cap * size);
}

static uint32_t add_outside(struct dag_reader *r, const char *name)
{
	struct dag *d = r->d;

	/* From the end: entries of one job follow each other. */
	for (uint32_t i = d->n_outside; i > 0 && i + 64 > d->n_outside; i--)
		if (!strcmp(d->outside[i - 1], name))
			return i - 1;
	d->outside = grow(d->outside, d->n_outside, &r->outside_cap,
			  sizeof(*d->outside));
	d->outside[d->n_outside] = name;
	return d->n_outside++;
}

uint32_t dag_find_span(struct dag_reader *r, struct json_span name,
		       bool outside)
{
	struct dag *d = r->d;
	const char *text;
	uint32_t node;

	if (memchr(name.p, '\\', name.len)) {
		text = json_span_str(d->arena, name);
		node = dag_find(d, text);
	} else {
		text = NULL;
		node = find(d, name.p + 1, name.len - 2);
	}
	if (node != DAG_NONE || !outside || !(r->flags & DAG_ADDITION))
		return node;
	return DAG_JOBS_MAX +
	       add_outside(r, text ? text : json_span_str(d->arena, name));
}

bool dag_name_node(struct dag_reader *r, struct json_span at, uint32_t node,
		   const char *name)
{
	struct dag *d = r->d;

	if (!dag_check_name(r, at, name))
		return false;
	if (dag_find(d, name) != DAG_NONE)
		return dag_fail(r, at,
				"there are two jobs \"%.256s\": the names of "
				"a document's jobs must differ",
				name);
	d->nodes[node].name = name;
	index_add(d, node);
	return true;
}

bool dag_add_node(struct dag_reader *r, uint32_t *out)
{
	struct dag *d = r->d;
	uint32_t cap = r->nodes_cap;

	if (d->n_nodes == DAG_JOBS_MAX)
		return dag_fail_large(r, "jobs, at most %d are allowed",
				      DAG_JOBS_MAX);
	d->nodes = grow(d->nodes, d->n_nodes, &r->nodes_cap, sizeof(*d->nodes));
	if (r->nodes_cap != cap) {
		r->after = xrealloc(r->after, r->nodes_cap * sizeof(*r->after));
		r->parent =
			xrealloc(r->parent, r->nodes_cap * sizeof(*r->parent));
	}
	d->nodes[d->n_nodes] = (struct dag_node){ .any = d->join_any };
	r->after[d->n_nodes] = (struct json_span){ NULL, 0 };
	r->parent[d->n_nodes] = DAG_NONE;
	*out = d->n_nodes++;
	return true;
}

bool dag_add_edge(struct dag_reader *r, struct json_span at,
		  struct dag_edge edge)
{
	struct dag *d = r->d;
	uint32_t cap = r->edges_cap;

	if (d->n_edges == DAG_EDGES_MAX)
		return dag_fail_large(r, "edges, at most %d are allowed",
				      DAG_EDGES_MAX);
	d->edges = grow(d->edges, d->n_edges, &r->edges_cap, sizeof(*d->edges));
	if (r->edges_cap != cap)
		r->place = xrealloc(r->place, r->edges_cap * sizeof(*r->place));
	r->place[d->n_edges] =
		at.p ? (uint32_t)(at.p - r->text) : (uint32_t)r->line;
	d->edges[d->n_edges++] = edge;
	return true;
}

struct dag_data *dag_add_data(struct dag_reader *r, uint32_t *out)
{
	struct dag *d = r->d;

	d->data = grow(d->data, d->n_data, &r->data_cap, sizeof(*d->data));
	d->data[d->n_data] = (struct dag_data){ 0 };
	*out = d->n_data++;
	return &d->data[*out];
}

const char *dag_parent_name(const struct dag *d, const struct dag_edge *e)
{
	return e->from < d->n_nodes ? d->nodes[e->from].name
				    : d->outside[e->from - d->n_nodes];
}

/* Is s, up to its end or the next colon, that text? Moves behind it. */
static bool take(const char **s, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*s, text, len) != 0 ||
	    ((*s)[len] != '\0' && (*s)[len] != ':'))
		return false;
	*s += len + ((*s)[len] == ':');
	return true;
}

bool dag_edge_is_named(const struct dag *d, const struct dag_edge *e,
		       const char *name)
{
	const char *tag;

	if (e->data == DAG_NONE)
		return false;
	tag = d->data[e->data].tag;
	if (tag == NULL)
		tag = d->defaults.tag;
	return take(&name, dag_parent_name(d, e)) &&
	       take(&name, d->nodes[e->to].name) &&
	       (*name == '\0' || (tag != NULL && strcmp(name, tag) == 0));
}

const char *dag_cond_name(char cond)
{
	return cond == DAG_SUCCESS   ? "success"
	       : cond == DAG_FAILURE ? "failure"
				     : "always";
}

bool dag_key_is_for(const struct dag_key *k, const char *scope)
{
	return !strcmp(k->scope, scope) || !strcmp(k->scope, "all");
}

bool dag_data_is_file(const struct dag_data *f)
{
	return f->tag || f->name || f->directory || f->uri || f->datatype;
}

struct dag_order *dag_order_new(const struct dag *d)
{
	struct dag_order *o = xcalloc(1, sizeof(*o));
	uint32_t n = d->n_nodes, *fill;

	o->first = xcalloc((size_t)n + 2, sizeof(*o->first));
	o->child = xcalloc((size_t)d->n_edges + 1, sizeof(*o->child));
	o->open = xcalloc((size_t)n + 1, sizeof(*o->open));
	o->queue = xcalloc((size_t)n + 1, sizeof(*o->queue));
	for (uint32_t i = 0; i < d->n_edges; i++)
		if (d->edges[i].from < n)
			o->first[d->edges[i].from + 1]++;
	for (uint32_t i = 0; i < n; i++)
		o->first[i + 1] += o->first[i];
	fill = o->queue; /* not needed as a queue yet */
	for (uint32_t i = 0; i < d->n_edges; i++) {
		const struct dag_edge *e = &d->edges[i];

		if (e->from >= n)
			continue;
		o->child[o->first[e->from] + fill[e->from]++] = e->to;
		o->open[e->to]++;
	}
	memset(fill, 0, ((size_t)n + 1) * sizeof(*fill));
	for (uint32_t i = 0; i < n; i++)
		if (!o->open[i])
			o->queue[o->n++] = i;
	for (uint32_t at = 0; at < o->n; at++) {
		uint32_t i = o->queue[at];

		for (uint32_t k = o->first[i]; k < o->first[i + 1]; k++)
			if (!--o->open[o->child[k]])
				o->queue[o->n++] = o->child[k];
	}
	return o;
}

void dag_order_free(struct dag_order *o)
{
	free(o->first);
	free(o->child);
	free(o->open);
	free(o->queue);
	free(o);
}

uint32_t *dag_layers(const struct dag *d, struct arena *a, uint32_t *n_layers)
{
	struct dag_order *o = dag_order_new(d);
	uint32_t *layer = ARENA_ARRAY(a, uint32_t, (size_t)d->n_nodes + 1);

	*n_layers = d->n_nodes > 0;
	for (uint32_t at = 0; at < o->n; at++) {
		uint32_t i = o->queue[at], next = layer[i] + 1;

		for (uint32_t k = o->first[i]; k < o->first[i + 1]; k++)
			if (layer[o->child[k]] < next)
				layer[o->child[k]] = next;
		if (*n_layers < next)
			*n_layers = next;
	}
	dag_order_free(o);
	return layer;
}
