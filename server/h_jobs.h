/* Handlers of jobs that stand in files of their own. */
#ifndef SORTIE_SERVER_H_JOBS_H
#define SORTIE_SERVER_H_JOBS_H

#include "server/req.h"

void h_jobs_counts(struct req *r); /* h_jobs_counts.c */
void h_jobs_act(struct req *r);    /* h_jobs_act.c */
/* NULL, or the state that the list of words between commas has and that there
 * is not. */
const char *h_jobs_states(struct req *r, const char *words, const char **out);

#endif
