/* Handlers of workflows that stand in files of their own. */
#ifndef SORTIE_SERVER_H_WORKFLOWS_H
#define SORTIE_SERVER_H_WORKFLOWS_H

#include "server/req.h"

/* h_workflows_make.c */
void h_workflows_create(struct req *r);
void h_workflows_add(struct req *r);
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
