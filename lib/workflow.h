/*
 * From a dag to what a workflow is made of: jobs ready for jobspec_decode,
 * edges, datasets.  Options given at creation (files, payloads, environment,
 * names) are applied, matrices unfolded, and everything that cannot be run is
 * refused by name.
 *
 * Expansion goes in steps so that a server's loop is never held up for long:
 *
 *	workflow_new; workflow_datatypes and workflow_datatype for each;
 *	workflow_step until done; then nodes, edges, datasets and uses are
 *	there; workflow_job writes one job's text at a time.
 */
#ifndef SORTIE_LIB_WORKFLOW_H
#define SORTIE_LIB_WORKFLOW_H

#include "lib/dag.h"

/* Bytes of a dataset's path: with its site what an index of PostgreSQL holds, a
 * third of a page. */
#define WORKFLOW_PATH_MAX 2000

/* What POST /workflows may say, beside or instead of the document. Texts are
 * NULL and spans p NULL when absent; has_*: it was given. */
struct workflow_options {
	const char *dag; /* the stored dag's name; NULL: "jobs" is there */
	int32_t version; /* of the dag; 0 = the newest */
	const char *key;
	const char *names; /* "uuid", "sticky", "inherit:X"; NULL = uuid for a
			      dag, else sticky */
	struct json_span fileinfo, jobinfo; /* objects */
	/* As in the document's header, and over it. */
	const char *name, *description, *project;
	struct json_span env, callback;
	int32_t priority, max_running;
	bool has_priority, has_max_running;
	bool held, has_state;
	bool open, has_open;
	bool close_auto, has_close;
	bool cancel_on_failure, has_on_failure;
	bool has_jobs; /* the request holds a document */
};

/* text: the body of the request, which is copied; keys that only a document
 * has are skipped. */
bool workflow_options_read(struct arena *a, const char *text, size_t len,
			   struct workflow_options *out,
			   struct err *e) MUST_CHECK;

struct workflow_node {
	const char *name;     /* with [index] for a job of a matrix */
	uint32_t node;        /* of the dag */
	int32_t index;        /* in its matrix, -1 = none */
	struct json_span env; /* of the matrix */
	bool noop, any, allow_failure;
	uint32_t first_use, n_uses; /* its place in uses */
};

struct workflow_edge {
	uint32_t parent; /* index into nodes; DAG_NONE: outside */
	uint32_t child;
	const char *parent_name;
	char cond; /* enum dag_cond */
};

/* One file, whoever reads it; no two have the same site and path. Texts are
 * "" when absent. */
struct workflow_dataset {
	const char *site, *path, *name, *directory, *datatype, *tag, *comment;
	/* The job that writes it, index into nodes; DAG_NONE: it is external,
	 * comes from a noop or from outside. */
	uint32_t producer;
};

/* A noop writes nothing. */
struct workflow_use {
	uint32_t node, dataset;
	char role;       /* 'i' or 'o' */
	const char *tag; /* "" = none */
};

struct workflow {
	struct arena *arena;
	const struct dag *dag;
	/* The document's header with the options over it. */
	const char *name, *description, *project;
	bool held, open, close_auto, cancel_on_failure;
	int32_t max_running;  /* 0 = none */
	const char *callback; /* compact JSON; NULL = none */
	const char *names;    /* "uuid" ... */

	struct workflow_node *nodes;
	uint32_t n_nodes;
	struct workflow_edge *edges; /* none twice */
	uint32_t n_edges;
	struct workflow_dataset *datasets;
	uint32_t n_datasets;
	struct workflow_use *uses; /* in order of nodes */
	uint32_t n_uses;

	struct workflow_work *work; /* internal */
};

/* The dag's name, where it has none, is dag_name (what inherit:X writes).
 * Checks the options against the dag: fileinfo and jobinfo must name edges
 * and nodes. d and o live as long as the workflow. */
bool workflow_new(struct arena *a, const struct dag *d,
		  const struct workflow_options *o, const char *dag_name,
		  struct workflow **out, struct err *e) MUST_CHECK;
/* The datatypes that it mentions, each once. */
const char *const *workflow_datatypes(struct workflow *w, size_t *n);
/* A datatype that is registered, with its extension (".txt"). */
void workflow_datatype(struct workflow *w, const char *name, const char *ext);
/* Does a part of the work, as much as about max nodes or edges. *done when
 * all of it is done. */
bool workflow_step(struct workflow *w, size_t max, bool *done,
		   struct err *e) MUST_CHECK;
/* Appends the job's object, compact: the keys of jobs alone, env merged, files
 * as inputs and outputs with the datasets' paths. The name is the node's. A
 * noop without a payload gets one that is never run. */
bool workflow_job(const struct workflow *w, uint32_t node, struct buf *b,
		  struct err *e) MUST_CHECK;

/* The path with single slashes and without "." and a slash at its end; a URI as
 * it is. Datasets are known by that. */
const char *workflow_path(struct arena *a, const char *s);

#endif
