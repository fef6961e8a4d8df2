/*
 * Puts the nodes of a picture in order, so that few edges cross.
 */
#include "lib/dag_layout.h"

#include <stdlib.h>
#include <string.h>

static const struct dag_look looks[] = {
	{ "", "#ffffff", "", "\xe2\x97\x8b", "o" },
	{ "held", "#e8e8e8", "\33[2m", "\xe2\x80\x96", "=" },
	{ "waiting", "#f4f4f4", "\33[2m", "\xe2\x97\x8b", "o" },
	{ "defined", "#fff8d0", "\33[33m", "\xe2\x97\x94", "q" },
	{ "dispatched", "#d8ecff", "\33[36m", "\xe2\x97\x91", "g" },
	{ "running", "#b8dcff", "\33[36m", "\xe2\x96\xb6", ">" },
	{ "finished", "#c8f0c8", "\33[32m", "\xe2\x9c\x93", "+" },
	{ "failed", "#ffc8c8", "\33[31m", "\xe2\x9c\x97", "x" },
	{ "timelimit", "#ffc8c8", "\33[31m", "\xe2\x9c\x97", "x" },
	{ "lost", "#ffc8c8", "\33[31m", "?", "?" },
	{ "cancelled", "#e0d0e8", "\33[35m", "\xe2\x88\x92", "-" },
	{ "skipped", "#e8e0d8", "\33[2m", "\xe2\x88\x92", "-" },
};

const struct dag_look *dag_look_of(const struct dag_draw_options *o,
				   uint32_t node)
{
	const char *state = o->states ? o->states[node] : NULL;

	for (size_t i = 0; state && i < sizeof(looks) / sizeof(looks[0]); i++)
		if (!strcmp(looks[i].state, state))
			return &looks[i];
	return &looks[0];
}

const char *dag_edge_label(const struct dag *d, const struct dag_edge *e)
{
	const struct dag_data *f;

	if (e->data == DAG_NONE)
		return NULL;
	f = &d->data[e->data];
	return f->tag && *f->tag     ? f->tag
	       : f->name && *f->name ? f->name
				     : NULL;
}

static void group_edges(struct dag_layout *l, const struct dag *d,
			struct arena *a)
{
	uint32_t *fill = xcalloc((size_t)d->n_nodes + 1, sizeof(*fill));

	l->edges = ARENA_ARRAY(a, uint32_t, (size_t)d->n_edges + 1);
	l->parents = ARENA_ARRAY(a, uint32_t, (size_t)d->n_nodes + 1);
	for (uint32_t i = 0; i < d->n_edges; i++)
		l->parents[d->edges[i].to + 1]++;
	for (uint32_t i = 0; i < d->n_nodes; i++)
		l->parents[i + 1] += l->parents[i];
	for (uint32_t i = 0; i < d->n_edges; i++) {
		uint32_t to = d->edges[i].to;

		l->edges[l->parents[to] + fill[to]++] = i;
	}
	free(fill);
}

static void group_nodes(struct dag_layout *l, const struct dag *d,
			struct arena *a)
{
	uint32_t *fill = xcalloc((size_t)l->n_layers + 1, sizeof(*fill));

	l->first = ARENA_ARRAY(a, uint32_t, (size_t)l->n_layers + 1);
	l->order = ARENA_ARRAY(a, uint32_t, (size_t)d->n_nodes + 1);
	for (uint32_t i = 0; i < d->n_nodes; i++)
		l->first[l->layer[i] + 1]++;
	for (uint32_t i = 0; i < l->n_layers; i++)
		l->first[i + 1] += l->first[i];
	for (uint32_t i = 0; i < d->n_nodes; i++) {
		uint32_t at = l->layer[i];

		l->order[l->first[at] + fill[at]++] = i;
	}
	free(fill);
}

/* A node with the mean place of its parents. */
struct weighed {
	double weight;
	uint32_t node;
};

static int compare_weights(const void *a, const void *b)
{
	const struct weighed *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static double weigh(const struct dag_layout *l, const struct dag *d,
		    uint32_t node)
{
	uint32_t n = 0;
	double sum = 0;

	for (uint32_t i = l->parents[node]; i < l->parents[node + 1]; i++) {
		uint32_t from = d->edges[l->edges[i]].from;

		if (from >= d->n_nodes)
			continue;
		sum += l->place[from];
		n++;
	}
	return n ? sum / n : 0;
}

static void order_layer(struct dag_layout *l, const struct dag *d,
			uint32_t layer)
{
	uint32_t first = l->first[layer], n = l->first[layer + 1] - first;
	struct weighed *w = xcalloc((size_t)n + 1, sizeof(*w));

	for (uint32_t i = 0; i < n; i++)
		w[i] = (struct weighed){ weigh(l, d, l->order[first + i]),
					 l->order[first + i] };
	qsort(w, n, sizeof(*w), compare_weights);
	for (uint32_t i = 0; i < n; i++) {
		l->order[first + i] = w[i].node;
		l->place[w[i].node] = i;
	}
	free(w);
}

struct dag_layout *dag_layout_new(const struct dag *d, struct arena *a)
{
	struct dag_layout *l = ARENA_NEW(a, struct dag_layout);

	l->layer = dag_layers(d, a, &l->n_layers);
	l->place = ARENA_ARRAY(a, uint32_t, (size_t)d->n_nodes + 1);
	group_edges(l, d, a);
	group_nodes(l, d, a);
	for (uint32_t i = 0; i < l->n_layers; i++)
		order_layer(l, d, i);
	return l;
}
