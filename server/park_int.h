/* What park.c, park_claim.c and wake.c share. */
#ifndef SORTIE_SERVER_PARK_INT_H
#define SORTIE_SERVER_PARK_INT_H

#include <sys/queue.h>
#include "server/lanes_int.h"
#include "server/park.h"
#include "server/wake.h"

struct event;
struct parking; /* park_claim.c */
struct waker;   /* wake.c */

#define WAIT_SLOTS 1024

struct park {
	struct server *srv;
	struct parking *parking;
	struct waker *waker;
	LIST_HEAD(, park_wait) by_job[WAIT_SLOTS]; /* PARK_JOB of one job */
	TAILQ_HEAD(, park_wait) wide;              /* all other watches */
	TAILQ_HEAD(, park_wait) due; /* to be called in this turn */
	struct event *tick;          /* deadlines, and the slow re-check */
	struct event *turn;
	int n_turns;
	bool draining;
	size_t n_waits;
};

struct parking *parking_new(struct server *srv);
void parking_free(struct parking *k);
void parking_drain(struct parking *k);
/* Once every 100 ms: deadlines, re-checks. */
void parking_tick(struct parking *k, int64_t now_ms);
/* n jobs for pilots of the profile; wakes as many as have room for them.
 * Returns how many jobs found nobody. */
int64_t parking_wake(struct parking *k, int32_t profile, int64_t n);
/* One pilot of each profile; each that gets work wakes the next. */
void parking_wake_all(struct parking *k);
void parking_wake_pilot(struct parking *k, int64_t pilot);

struct waker *waker_new(struct server *srv);
void waker_free(struct waker *w);
/* A claim has seen this version of what fits what. */
void waker_fit_version(struct waker *w, int64_t version);

/* Without telling other servers. */
void park_job_changed(struct park *p, int64_t number, bool ended);
void park_workflow_changed(struct park *p, int64_t number);
void park_events_changed(struct park *p);
void park_all_changed(struct park *p);

#endif
