/*
 * A pilot that does no work: it speaks the pilots' protocol over one
 * connection and ends each run as soon as it is granted.  Start and end go in
 * one report that asks for the next grants, as the real pilot's do.
 */
#ifndef SORTIE_TESTS_BENCH_ZPILOT_H
#define SORTIE_TESTS_BENCH_ZPILOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/bench.h"

struct event_base;
struct zpilot;

struct zpilot_plan {
	const char *url;
	const char *join_token;
	const char *offer;      /* JSON members of the registration: site,
				   pools, jobtypes ...; "" = none */
	int slots;              /* and as many cores */
	int64_t hold_ms;        /* between a grant and its end, on average */
	bool split;             /* claims and reports are calls apart */
	struct samples *claims; /* with split: times of claims that were
				   answered with grants; NULL = not wanted */
	/* Called when ends were acknowledged, with their count. */
	void (*on_ended)(int64_t n, void *arg);
	/* Called when it is registered. May be NULL. */
	void (*on_joined)(void *arg);
	void *arg;
};

/* The plan is copied, what it points to is borrowed. */
struct zpilot *zpilot_new(struct event_base *base,
			  const struct zpilot_plan *plan);
/* Begins to claim, once joined. */
void zpilot_go(struct zpilot *z);
/* Lets them leave in order, so that nothing is granted to them any more, and
 * frees them. Runs the loop until the server has acknowledged. */
void zpilot_leave(struct event_base *base, struct zpilot **z, size_t n);

#endif
