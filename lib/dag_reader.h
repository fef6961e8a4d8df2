/*
 * What the parts of the dag reader share: the dag that grows, and the one way
 * to say where a document is wrong.  Internal to lib/dag and lib/graphml.
 */
#ifndef SORTIE_LIB_DAG_READER_H
#define SORTIE_LIB_DAG_READER_H

#include "lib/dag.h"

struct dag_reader {
	struct dag *d;
	const char *source; /* "" = none */
	const char *text, *end;
	unsigned flags;
	size_t line; /* GraphML: of what is being read; 0 = by span */
	/* By edge, where it stands: the line in GraphML, else how far into the
	 * text; 0 = unknown. */
	uint32_t *place;
	struct err *e;
	/* By node, until the edges are made. */
	struct json_span *after;
	uint32_t *parent;
	uint32_t nodes_cap, edges_cap, data_cap, outside_cap;
};

/* An empty dag in the arena. */
struct dag *dag_new(struct arena *a);
void dag_reader_fini(struct dag_reader *r);

/* SOURCE: line N: SENTENCE. Returns false. at.p NULL: no line. */
bool dag_fail(struct dag_reader *r, struct json_span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool dag_fail_large(struct dag_reader *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* WHERE must be EXPECTED, not a list. */
bool dag_fail_type(struct dag_reader *r, struct json_span v, const char *where,
		   const char *expected);
/* The key is unknown, and perhaps one of those was meant. where begins the
 * sentence (job "a": ) or is "". */
bool dag_fail_key(struct dag_reader *r, struct json_span key, const char *where,
		  const char *const *known, size_t n);

/* A new node, which must get a name. */
bool dag_add_node(struct dag_reader *r, uint32_t *out) MUST_CHECK;
bool dag_name_node(struct dag_reader *r, struct json_span at, uint32_t node,
		   const char *name) MUST_CHECK;
/* at: where it stands; p NULL: unknown, or in GraphML at r->line. */
bool dag_add_edge(struct dag_reader *r, struct json_span at,
		  struct dag_edge edge) MUST_CHECK;
struct dag_data *dag_add_data(struct dag_reader *r, uint32_t *out);
/* The node of that name (a JSON string), or with DAG_ADDITION and outside a
 * job that is not in the document (DAG_JOBS_MAX and more, until dag_check);
 * DAG_NONE when there is none. */
uint32_t dag_find_span(struct dag_reader *r, struct json_span name,
		       bool outside);

/* dag_jobs.c. What stands in the node's object besides keys of jobs. */
bool dag_read_jobs(struct dag_reader *r, struct json_span jobs) MUST_CHECK;
bool dag_read_tree(struct dag_reader *r, struct json_span job) MUST_CHECK;
/* A member of a node's object other than "name" and "children". */
bool dag_read_job_key(struct dag_reader *r, uint32_t node, struct json_span key,
		      struct json_span v) MUST_CHECK;
/* Whether it is a key of a job, in a document or alone. */
bool dag_is_job_key(struct json_span key);
/* Whether it is one that only a document's jobs have. */
bool dag_is_own_key(struct json_span key);
bool dag_read_attrs(struct dag_reader *r, struct json_span v,
		    struct dag_attr **out) MUST_CHECK;

/* dag_edges.c */
bool dag_read_after(struct dag_reader *r) MUST_CHECK;
bool dag_read_datasets(struct dag_reader *r, struct json_span v) MUST_CHECK;
/* The field of an edge's data by its key, either spelling; NULL: none. */
const char **dag_data_field(struct dag_data *f, const char *key);
bool dag_read_cond(struct dag_reader *r, struct json_span v, const char *where,
		   char *out) MUST_CHECK;

/* dag_header.c */
bool dag_read_header(struct dag_reader *r, struct json_span key,
		     struct json_span v, bool *known) MUST_CHECK;
bool dag_read_graphml(struct dag_reader *r, struct json_span v) MUST_CHECK;

/* The nodes so that parents come before children. */
struct dag_order {
	uint32_t *first; /* of each node, its place in child; one more */
	uint32_t *child;
	uint32_t *open;  /* parents that are not in the queue */
	uint32_t *queue; /* n nodes; fewer than there are: a cycle */
	uint32_t n;
};
struct dag_order *dag_order_new(const struct dag *d);
void dag_order_free(struct dag_order *o);

/* dag_check.c */
bool dag_check_name(struct dag_reader *r, struct json_span at,
		    const char *name) MUST_CHECK;
/* Defaults and cycles, when all is there. */
bool dag_check(struct dag_reader *r) MUST_CHECK;
/* dag_values.c. Whether the values of the keys are what jobs may have; a
 * command may be missing, for jobinfo may bring one. where begins the message. */
bool dag_check_job(struct dag_reader *r, struct json_span job,
		   const char *where) MUST_CHECK;
bool dag_check_values(struct dag_reader *r, uint32_t node) MUST_CHECK;

/* dag_defaults.c. Gives nodes and edges what keys say of them. */
bool dag_apply_defaults(struct dag_reader *r) MUST_CHECK;
/* Whether an attribute of that name is a key of the job in GraphML. */
bool dag_is_node_key(struct arena *a, const char *name);

#endif
