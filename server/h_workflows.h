/* Handlers of workflows that stand in files of their own. */
#ifndef SORTIE_SERVER_H_WORKFLOWS_H
#define SORTIE_SERVER_H_WORKFLOWS_H

#include "server/db.h"
#include "server/req.h"

struct workflow_make;

/* h_workflows_make.c */
void h_workflows_create(struct req *r);
void h_workflows_add(struct req *r);
/* For all that makes workflows: reads the options and what to make the
 * workflow of from a request's text, which lives as long as it; then makes it
 * (stmt, head, shape and done are set), or replies why not. */
bool h_workflows_source(struct workflow_make *m, const char *text, size_t len,
			struct err *e) MUST_CHECK;
void h_workflows_make(struct workflow_make *m);
/* The head and shape of a new workflow. */
void h_workflows_head(const struct workflow_make *m, struct arena *a,
		      struct db_params *p);
bool h_workflows_shape(struct workflow_make *m, struct err *e) MUST_CHECK;
/* h_workflows_act.c */
void h_workflows_start(struct req *r);
void h_workflows_cancel(struct req *r);
void h_workflows_retry(struct req *r);
void h_workflows_close(struct req *r);
void h_workflows_adjust(struct req *r);
void h_workflows_delete(struct req *r);

/* The workflow that the path names: a number is taken as it is, a UUID is
 * looked up. Then calls then, or replies that there is none. h_workflows.c */
void h_workflows_ref(struct req *r,
		     void (*then)(struct req *r, int64_t number));

#endif
