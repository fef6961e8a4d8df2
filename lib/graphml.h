/*
 * GraphML, as networkx and p3s write it, to a dag and back.  The only module
 * that includes expat.  Entities that a document declares are refused, and
 * its size, depth and counts are bounded; undirected and nested graphs,
 * hyperedges and ports are refused by name and line.
 */
#ifndef SORTIE_LIB_GRAPHML_H
#define SORTIE_LIB_GRAPHML_H

#include "lib/dag.h"

/* True when the text looks like XML and not like JSON. */
bool graphml_probe(const char *text, size_t len);
/* source names the file or is "". Attributes named as keys of jobs (payload,
 * env, jobtype, timelimit, priority ...) and of datasets (name, dirpath,
 * datatype, datatag, comment ...) become those; all others are kept. */
bool graphml_read(struct arena *a, const char *text, size_t len,
		  const char *source, struct dag **out,
		  struct err *e) MUST_CHECK;
/* Gives back what came in: keys with ids, types and defaults, attributes,
 * order. A dag that did not come from GraphML gets p3s's keys. */
void graphml_write(struct buf *b, const struct dag *d);

#endif
