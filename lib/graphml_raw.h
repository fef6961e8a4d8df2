/*
 * A GraphML document as its elements stand there, before keys are looked up
 * and edges find their nodes: in GraphML any of them may come first.
 * Internal to lib/graphml.
 */
#ifndef SORTIE_LIB_GRAPHML_RAW_H
#define SORTIE_LIB_GRAPHML_RAW_H

#include "lib/dag_reader.h"

struct graphml_datum {
	const char *key; /* its id */
	const char *text;
	size_t line;
	struct graphml_datum *next;
};

struct graphml_item {
	const char *id, *source, *target; /* NULL: absent */
	size_t line;
	struct graphml_datum *data;
};

struct graphml_raw {
	struct graphml_item graph;
	struct graphml_item *nodes, *edges;
	uint32_t n_nodes, n_edges, nodes_cap, edges_cap;
	uint32_t keys_cap; /* the keys are in the dag */
};

/* Reads the elements; r->d gets the keys. The caller frees nodes and edges,
 * also when it fails. */
bool graphml_parse(struct dag_reader *r, const char *text, size_t len,
		   struct graphml_raw *out) MUST_CHECK;

#endif
