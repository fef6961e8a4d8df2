/*
 * A client that submits many jobs: as lists, each a request of its own, or as
 * parts of one submission.  The jobs are alike and need nothing.
 */
#ifndef SORTIE_TESTS_BENCH_SUBMITTER_H
#define SORTIE_TESTS_BENCH_SUBMITTER_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct submitter;

struct submitter_plan {
	const char *url;
	const char *token;
	int64_t count;     /* jobs; rounded up to whole lists */
	int64_t list;      /* jobs a request */
	int64_t in_flight; /* requests at once, each on a connection */
	bool parts;
	/* What makes repeating harmless: an Idempotency-Key for each request,
	 * or a key for each job. */
	enum { KEYS_NONE, KEYS_OF_REQUESTS, KEYS_OF_JOBS } keys;
	bool patient; /* whoever is refused comes again a second later */
	void (*on_done)(void *arg);
	void *arg;
};

/* The plan is copied, what it points to is borrowed. */
struct submitter *submitter_new(struct event_base *base,
				const struct submitter_plan *plan);
void submitter_go(struct submitter *s);
/* What will be submitted, in jobs. */
int64_t submitter_count(const struct submitter *s);
/* The mean size of a job as it is sent. */
double submitter_job_bytes(const struct submitter *s);
/* Of the patient: how many answers were refusals, and the longest time to an
 * answer in microseconds. */
int64_t submitter_refused(const struct submitter *s);
int64_t submitter_slowest(const struct submitter *s);
void submitter_free(struct submitter *s);

#endif
