/*
 * From a document to a workflow in the database: reads it, asks which
 * datatypes there are, expands it in steps so that no other request waits for
 * long, looks up the jobs' classes and puts all of it into a lane as one
 * statement.  Replies by itself when anything is wrong on the way.
 */
#ifndef SORTIE_SERVER_WORKFLOW_MAKE_H
#define SORTIE_SERVER_WORKFLOW_MAKE_H

#include "lib/workflow.h"
#include "server/lanes_int.h"

/* All in the request's arena; zeroed, then filled in by the handler. */
struct workflow_make {
	struct submit submit; /* its jobs */
	struct workflow_options options;
	const char *text; /* the document; lives as long as the request */
	size_t len;
	unsigned flags;      /* of dag_read */
	const char *dag;     /* the stored dag it comes from, or NULL */
	int32_t dag_version; /* 0 with dag NULL */
	int64_t workflow;    /* the one to add to; 0: a new one */

	/* The statement, and parameters that stand before or behind those of
	 * all such statements (lane_workflow.c); tail may be NULL. */
	const char *stmt;
	void (*head)(const struct workflow_make *m, struct arena *a,
		     struct db_params *p);
	void (*tail)(const struct workflow_make *m, struct arena *a,
		     struct db_params *p);
	/* The document has been read: the last chance to change the options.
	 * May be NULL. */
	bool (*shape)(struct workflow_make *m, struct err *e);
	/* It is committed: replies. answer: the statement's. */
	void (*done)(struct workflow_make *m, struct json_object *answer);

	void *arg; /* the handler's own */

	struct dag *doc;
	struct workflow *made;
	bool expanded;
	uint32_t next; /* the next node whose job is read */
	struct arena *scratch;
};

/* A new one for the request, which it belongs to from now on. */
struct workflow_make *workflow_make_new(struct req *r);
/* text, flags, stmt, head and done are set. */
void workflow_make_run(struct workflow_make *m);

#endif
