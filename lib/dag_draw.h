/*
 * Pictures of a dag: for Graphviz, for a browser, for a terminal.  With the
 * states of a workflow's jobs they show how far it is.
 */
#ifndef SORTIE_LIB_DAG_DRAW_H
#define SORTIE_LIB_DAG_DRAW_H

#include "lib/dag.h"

struct dag_draw_options {
	const char *title;         /* NULL: the dag's name */
	const char *const *states; /* one a node ("running"), NULL: none */
	unsigned width;            /* columns of the terminal; 0 = 80 */
	bool utf8;                 /* boxes and arrows instead of ASCII */
	bool color;                /* states in colours of ANSI */
};

void dag_write_dot(struct buf *b, const struct dag *d,
		   const struct dag_draw_options *o);
/* One SVG document, layers from left to right. */
void dag_write_svg(struct buf *b, const struct dag *d,
		   const struct dag_draw_options *o);
/* Lines for a terminal: each layer with its nodes, each node with what it
 * waits for. A layer of many nodes is summarised. */
void dag_draw(struct buf *b, const struct dag *d,
	      const struct dag_draw_options *o);

#endif
