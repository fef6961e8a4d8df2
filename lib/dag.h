/*
 * A graph of jobs as people write it: the document of dags and workflows, read
 * from JSON (a list, an object or a tree of jobs; doc/PROTOCOL.md, section
 * "Workflows") or GraphML, checked as a whole, and written again.  Command and
 * server use it alike: what is wrong is said with file, line and name.
 *
 * Reading copies the text once and cuts it into jobs in place; no object is
 * made of the whole, so that 8 MiB of text do not become 200.  What a dag
 * points to belongs to its arena.
 */
#ifndef SORTIE_LIB_DAG_H
#define SORTIE_LIB_DAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json_cursor.h"

#define DAG_DOCUMENT_MAX ((size_t)8 << 20)
#define DAG_JOBS_MAX 100000
#define DAG_EDGES_MAX 1000000
#define DAG_NAME_MAX 256
/* Levels of a document's text: a tree takes two for each generation. */
#define DAG_DEPTH_MAX 512
#define DAG_NONE UINT32_MAX

/* When an edge's condition is met. */
enum dag_cond {
	DAG_SUCCESS = 's', /* the parent has finished */
	DAG_FAILURE = 'f', /* it has failed, run out of time or got lost */
	DAG_ALWAYS = 'a'   /* it has ended, however */
};

/* How GraphML declares an attribute. */
struct dag_key {
	const char *id;    /* "d101" */
	const char *name;  /* attr.name: "payload" */
	const char *type;  /* attr.type: "string", "int"... ; never NULL */
	const char *scope; /* for: "node", "edge", "graph", "all" */
	const char *def;   /* the default's text, NULL = none */
	uint32_t line;     /* of the default in the text; 0 = unknown */
};

/* An attribute of GraphML that is no key of jobs or datasets, or the place
 * where such a key stood among the others. */
struct dag_attr {
	const char *name;
	const char *text; /* NULL: the job's or dataset's own key is meant */
	uint32_t key;     /* index into keys, DAG_NONE = the first so named */
	struct dag_attr *next;
};

struct dag_node {
	const char *name;
	struct json_span job;    /* the object as given, all keys; p NULL: {} */
	struct json_span matrix; /* list of objects; p NULL: none */
	struct dag_attr *attrs;
	bool noop;          /* runs nothing */
	bool any;           /* starts after its first met condition */
	bool allow_failure; /* its bad end does not fail the workflow */
	bool listed;        /* its object may hold a key "name" of its own */
};

/* What an edge carries; texts are NULL when absent. */
struct dag_data {
	const char *tag, *name, *directory, *uri, *datatype, *comment, *site;
	const char *id; /* the edge's id in GraphML */
	struct dag_attr *attrs;
	bool has_on; /* the condition was given */
};

/* from >= n_nodes: a job outside of the document (DAG_ADDITION). */
struct dag_edge {
	uint32_t from, to; /* indexes of nodes */
	uint32_t data;     /* index into data, DAG_NONE: from `after` */
	char cond;         /* enum dag_cond */
};

/* Texts are "" and numbers 0 when absent, unless said otherwise. */
struct dag {
	struct arena *arena;
	const char *name, *description, *project;
	int32_t priority;
	bool has_priority;
	struct json_span env; /* an object; p NULL: none */
	int32_t max_running;  /* 0 = none */
	bool cancel_on_failure;
	bool join_any;
	bool held, has_state;
	bool open, close_auto;
	struct json_span callback; /* text or list; p NULL: none */

	struct dag_node *nodes;
	uint32_t n_nodes;
	struct dag_edge *edges; /* those of `after` in order of jobs, then
				   those of `datasets` */
	uint32_t n_edges;
	struct dag_data *data;
	uint32_t n_data;
	const char **outside; /* names of jobs that exist already */
	uint32_t n_outside;

	bool graphml; /* came from GraphML: the rest tells how it looked */
	struct dag_key *keys;
	uint32_t n_keys;
	struct dag_attr *attrs; /* of the graph */
	/* What edges carry that do not say otherwise, from keys' defaults; a
	 * job's defaults are in keys. */
	struct dag_data defaults;
	char edge_cond;       /* of edges with data that do not say otherwise */
	const char *graph_id; /* NULL: none */

	struct dag_index *index; /* names of nodes; internal */
};

/* The document is what is added to an open workflow: `after` and the `from`
 * of a dataset may name jobs that are not in it. */
#define DAG_ADDITION 1u
/* The text is a request to create a workflow: the keys of its options
 * (lib/workflow.h) are allowed and skipped. */
#define DAG_REQUEST 2u
/* Jobs are looked at as closely as when they are made: what is wrong in them
 * is told with its line. */
#define DAG_VALUES 4u

/* text is copied. source names the file ("w.json") or is "". ERR_TOO_LARGE
 * when a bound is passed, else ERR_BAD_REQUEST. */
bool dag_read(struct arena *a, const char *text, size_t len, const char *source,
	      unsigned flags, struct dag **out, struct err *e) MUST_CHECK;
/* One JSON object, compact, complete: dag_read gives an equal dag of it.
 * Trees come out as `after`. */
void dag_write_json(struct buf *b, const struct dag *d);

/* The node of that name, DAG_NONE when there is none. */
uint32_t dag_find(const struct dag *d, const char *name);
/* The name of an edge's parent, inside or outside. */
const char *dag_parent_name(const struct dag *d, const struct dag_edge *e);
/* Whether "FROM:TO" or "FROM:TO:TAG" names the edge, which must carry a file. */
bool dag_edge_is_named(const struct dag *d, const struct dag_edge *e,
		       const char *name);
/* The layer of each node: 0 for roots, else one more than its highest
 * parent's. Allocated in a. */
uint32_t *dag_layers(const struct dag *d, struct arena *a, uint32_t *n_layers);
const char *dag_cond_name(char cond); /* "success" ... */
/* The value that the text of a job's key has: a number, a list ... as the
 * key's type and name say, else the text itself. */
struct json_span dag_key_value(struct arena *a, const struct dag_key *k,
			       const char *text);
/* Whether the key is for nodes ("node"), edges or the graph. */
bool dag_key_is_for(const struct dag_key *k, const char *scope);
/* Whether the edge carries a file: it has a name, directory, uri, datatype or
 * tag. */
bool dag_data_is_file(const struct dag_data *f);

#endif
