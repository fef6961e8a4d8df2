/*
 * Notices that everything this pilot runs fails at once (a full disk, a
 * broken mount, a missing library) and makes it stop asking for work for a
 * growing while, so that one bad host does not eat the queue.
 *
 * When work of several kinds (owner, project, jobtype) fails in a row the host
 * is to blame, and pauses grow to minutes.  When all of it is of one kind the
 * jobs may be to blame as well: then pauses stay short and more runs are tried
 * between them, so that a thousand broken jobs come to their end and others'
 * work behind them gets its turn.
 */
#ifndef SORTIE_PILOT_BLACKHOLE_H
#define SORTIE_PILOT_BLACKHOLE_H

#include <stdbool.h>
#include <stdint.h>

/* So many fast failures in a row, and none that went well between, pause. */
#define BLACKHOLE_RUNS 10
#define BLACKHOLE_FAST_MS 1000
#define BLACKHOLE_PAUSE_MS 1000 /* the first pause; then it doubles */
#define BLACKHOLE_PAUSE_MAX_MS 300000
#define BLACKHOLE_PAUSE_ONE_KIND_MS 4000

struct blackhole {
	int in_a_row;
	int since_pause;
	uint64_t kind;    /* of the first of them */
	bool mixed;       /* there was another kind */
	int64_t pause_ms; /* the last pause; 0 = none yet */
	int64_t until_ms; /* monotonic; 0 = not pausing */
};

/* A run of work of this kind (a hash) ended. One that did well, or that
 * lasted, clears everything. Returns the pause in milliseconds when this end
 * begins one, else 0. */
int64_t blackhole_note(struct blackhole *b, uint64_t kind, bool failed,
		       int64_t wall_ms, int64_t now_ms);
bool blackhole_paused(const struct blackhole *b, int64_t now_ms);

#endif
