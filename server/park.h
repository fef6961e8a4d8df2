/*
 * Requests that wait for something to happen: long polls of people and
 * programs.  (Parked claims of pilots are wake.h's.)
 *
 * A handler that may have to wait watches first, then asks the database, and
 * waits when the answer is not there yet: what happens between its snapshot
 * and park_wait is not missed.
 *
 *	w = park_watch(r, PARK_JOB, number, number);
 *	db_run(... on_view ...);
 *	on_view: if not ended and the time is not over:
 *		park_wait(w, deadline_ms, again);
 *	again(r, over): over ? reply with what is known : db_run(... on_view);
 *
 * Wakes come from commits of this process at once, from other servers by
 * NOTIFY, and from a slow re-check every 2 s (they are hints: look again).
 */
#ifndef SORTIE_SERVER_PARK_H
#define SORTIE_SERVER_PARK_H

#include <stdbool.h>
#include <stdint.h>
#include "server/req.h"

struct park;
struct park_wait;

enum park_topic {
	PARK_JOB,      /* jobs first..last: start, end, output of the run */
	PARK_ENDS,     /* jobs first..last: an end; at most every 20 ms */
	PARK_WORKFLOW, /* the workflow first: any end at most every 200 ms, its
			  own end at once */
	PARK_EVENTS    /* anything that makes an event; at most every 50 ms */
};

/* Needs srv->base, db and metrics. */
struct park *park_new(struct server *srv);
void park_free(struct park *p);
/* Answers everything that is parked, claims too, and parks nothing any more. */
void park_drain(struct park *p);
/* Makes the calls that are due now and not in the loop's next turn. Not from
 * inside a call. */
void park_turn(struct park *p);

/* Begins to watch; the watch belongs to the request's arena and ends with it.
 * first, last are ignored for PARK_EVENTS. */
struct park_wait *park_watch(struct req *r, enum park_topic topic,
			     int64_t first, int64_t last);
/*
 * Calls fn once, from the loop: over = false when something may have happened
 * since the watch began or was last woken; over = true when deadline_ms
 * (monotonic, clock_mono_ms) has come, the peer has gone, or the server
 * drains: then reply.
 */
void park_wait(struct park_wait *w, int64_t deadline_ms,
	       void (*fn)(struct req *r, bool over));

#endif
