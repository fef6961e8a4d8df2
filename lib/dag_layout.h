/*
 * Where the nodes of a picture stand: in layers, and within a layer near the
 * nodes that they come after.  Internal to lib/dag_draw.
 */
#ifndef SORTIE_LIB_DAG_LAYOUT_H
#define SORTIE_LIB_DAG_LAYOUT_H

#include "lib/dag_draw.h"

struct dag_layout {
	uint32_t *layer; /* of each node */
	uint32_t *place; /* of each node within its layer */
	uint32_t n_layers;
	uint32_t *first;   /* of each layer, its begin in order; one more */
	uint32_t *order;   /* nodes by layer and place */
	uint32_t *edges;   /* edges by child */
	uint32_t *parents; /* of each node, its begin in edges; one more */
};

/* Belongs to the arena. */
struct dag_layout *dag_layout_new(const struct dag *d, struct arena *a);

/* How a state is shown. */
struct dag_look {
	const char *state;
	const char *fill; /* of SVG and Graphviz */
	const char *ansi; /* colour of a terminal */
	const char *mark, *mark_ascii;
};

/* Never NULL. */
const struct dag_look *dag_look_of(const struct dag_draw_options *o,
				   uint32_t node);

/* The edge's label: the file's tag or name; NULL = none. */
const char *dag_edge_label(const struct dag *d, const struct dag_edge *e);

#endif
