/*
 * How long to wait before a server is asked again that did not answer well:
 * longer each time, never longer than a third of the lease (so that a pilot
 * whose server came back is heard before it is given up), and never the same
 * time for two pilots, so that a site does not come back as one wave.
 */
#ifndef SORTIE_PILOT_BACKOFF_H
#define SORTIE_PILOT_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#define BACKOFF_MIN_MS 200

struct backoff {
	int64_t max_ms;   /* the longest wait */
	int64_t step_ms;  /* the next wait before jitter; 0 = none yet */
	int64_t until_ms; /* monotonic; not before that */
};

void backoff_init(struct backoff *b, int64_t max_ms);
void backoff_ok(struct backoff *b);
/* A failure at now_ms; at_least_ms is what the server asked for (0 = nothing)
 * and is obeyed up to max_ms. Returns the wait in milliseconds. */
int64_t backoff_fail(struct backoff *b, int64_t now_ms, int64_t at_least_ms);
bool backoff_ready(const struct backoff *b, int64_t now_ms);

#endif
