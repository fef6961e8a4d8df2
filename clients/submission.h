/* Sending gathered jobs: in one request, or, when they are many, as a
 * submission in parts that becomes real all at once. */
#ifndef SORTIE_CLIENTS_SUBMISSION_H
#define SORTIE_CLIENTS_SUBMISSION_H

#include "clients/call.h"
#include "clients/parts.h"
#include "clients/refs.h"

/* The server's answer ({"count","first",…}) and the jobs' numbers, sorted. */
bool submission_send(struct cli *c, struct parts *parts,
		     struct call_answer *answer, struct refs *refs,
		     struct err *e) MUST_CHECK;
/* A single body, as for POST /api/v1/jobs. */
bool submission_send_body(struct cli *c, const char *body, size_t len,
			  struct call_answer *answer, struct refs *refs,
			  struct err *e) MUST_CHECK;

#endif
