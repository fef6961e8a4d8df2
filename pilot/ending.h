/*
 * How a run ended, in the words of the protocol: state, reason, exit code,
 * what it used, its small output and its meta lines.
 */
#ifndef SORTIE_PILOT_ENDING_H
#define SORTIE_PILOT_ENDING_H

#include <stdbool.h>
#include <stdint.h>
#include "pilot/runs.h"

struct ending {
	const char *state; /* a run's end state of the protocol */
	char reason[1024]; /* "" = nothing to add */
	bool ran;          /* exit code or signal and usage hold */
	bool exited;
	int exit_code, signal;
	bool own_fault; /* the job's: says nothing of this host */
	int64_t wall_ms, user_ms, system_ms, max_rss;
};

/* An end without a payload: handed back, cancelled before it began, or
 * impossible to start. */
void ending_unstarted(struct ending *out, const char *state,
		      const char *reason);
/* What a payload's end means for its run. */
void ending_of_payload(struct ending *out, const struct payload_end *end,
		       const struct run *r);
/* Writes r->end anew: a JSON object without "ago_ms" and the brace
 * (ending_report adds them). Streams marked inlined are put into it whole. */
void ending_write(struct run *r, const struct ending *end);
/* Adds the end to a report being made at now_ms. */
void ending_report(struct buf *b, const struct run *r, int64_t now_ms);

#endif
