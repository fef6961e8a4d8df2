/* What park.c, park_claim.c and wake.c share. */
#ifndef SORTIE_SERVER_PARK_INT_H
#define SORTIE_SERVER_PARK_INT_H

#include <sys/queue.h>
#include "server/lanes_int.h"
#include "server/park.h"
#include "server/wake.h"

struct event;
struct parking; /* park_claim.c */
struct seen;    /* park_seen.c */
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

/*
 * park_seen.c: pilots by their last calls.  A claim whose number was never sent
 * to the database has no runs there, so it may be parked unasked when its
 * pilot was heard a moment ago and nothing is queued for its profile.  The
 * pilot stays heard: one without runs has 75 s more than its lease.
 */
struct seen *seen_new(void);
void seen_free(struct seen *table);
/* A claim has come; false when the pilot has called with a higher number: the
 * database may not know of that one. */
bool seen_come(struct seen *table, const struct talk *t) MUST_CHECK;
/* It goes to the database. */
void seen_asked(struct seen *table, const struct talk *t);
/* The database has answered a claim or a report. */
void seen_told(struct seen *table, const struct talk *t);
/* Something is there for the pilot alone, as of seq. */
void seen_called(struct seen *table, int64_t pilot, uint64_t seq);
bool seen_called_since(struct seen *table, const struct talk *t);
int32_t seen_profile(struct seen *table, int64_t pilot); /* 0: not known */
bool seen_fresh(struct seen *table, const struct talk *t);

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
