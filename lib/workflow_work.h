/*
 * What the parts of lib/workflow share while a dag is unfolded.  Internal to
 * lib/workflow.
 */
#ifndef SORTIE_LIB_WORKFLOW_WORK_H
#define SORTIE_LIB_WORKFLOW_WORK_H

#include "lib/workflow.h"

/* Texts to numbers. */
struct workflow_map {
	struct workflow_map_slot {
		const char *key; /* NULL = empty */
		uint32_t value;
	} * slot;
	size_t n_slots, n;
};

/* What fileinfo says about the edges of two nodes, or one of them. */
struct workflow_file {
	const char *key; /* "a:b" or "a:b:TAG" */
	uint32_t from, to;
	const char *tag; /* NULL: all edges between the two */
	struct dag_data data;
	const char *matched_tag;
	uint32_t n_matched;
	bool tags_differ;
};

enum workflow_phase {
	WORKFLOW_NODES,
	WORKFLOW_EDGES,
	WORKFLOW_USES,
	WORKFLOW_DONE
};

struct workflow_work {
	const struct workflow_options *o;
	const char *dag_name;
	const char *inherit; /* X of inherit:X, else NULL */
	bool uuid;

	uint32_t *first; /* of each dag node, its first job; one more */
	struct json_span *jobinfo;   /* by dag node; NULL = none */
	struct workflow_file *files; /* sorted by from, to */
	size_t n_files;

	struct workflow_map types;
	const char **type_names;
	const char **type_ext; /* NULL: not registered */

	enum workflow_phase phase;
	uint32_t at;            /* of the phase: dag node, edge or use */
	uint32_t parent, child; /* within the jobs of an edge's ends */

	struct workflow_map paths;  /* site and path to dataset */
	struct workflow_map groups; /* edges that carry one file, by what
				       they say, to dataset */
	uint32_t datasets_cap;
	/* Edges and uses that are there, by hash; index + 1. */
	uint32_t *edge_slot, *use_slot;
	size_t n_edge_slots, n_use_slots;
	struct workflow_use *found; /* uses in order of edges */
	uint32_t n_found;
};

/* The value of a key, made (DAG_NONE) when it is new. key is borrowed. */
uint32_t *workflow_map_at(struct workflow_map *m, const char *key);
void workflow_map_fini(struct workflow_map *m);

/* workflow_files.c */
bool workflow_fileinfo(struct workflow *w, struct err *e) MUST_CHECK;
void workflow_find_types(struct workflow *w);
/* The dataset that an edge carries from one job; the dag's edge has data. */
bool workflow_dataset_of(struct workflow *w, const struct dag_edge *edge,
			 uint32_t parent, uint32_t *out,
			 struct err *e) MUST_CHECK;
/* What the edge's data are with defaults and fileinfo over them. */
struct dag_data workflow_edge_data(const struct workflow *w,
				   const struct dag_edge *edge);

/* Grows an array by one when it is full. */
void *workflow_grow(void *p, uint32_t n, uint32_t *cap, size_t size);

/* workflow_job.c */
bool workflow_check_command(const struct workflow *w, uint32_t dag_node,
			    struct err *e) MUST_CHECK;

#endif
