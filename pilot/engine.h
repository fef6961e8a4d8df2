/*
 * What a batch system says about the place it has put this pilot in: Slurm by
 * SLURM_* variables, HTCondor by _CONDOR_* variables and the ClassAds in the
 * files they name.  It becomes defaults of the options, so that a pilot on a
 * batch node needs nothing but a server and a token.
 */
#ifndef SORTIE_PILOT_ENGINE_H
#define SORTIE_PILOT_ENGINE_H

#include <stdint.h>
#include "lib/arena.h"

struct engine {
	const char *name;     /* "slurm", "condor"; NULL = no batch system */
	const char *batch_id; /* "4711", "4711_3", "55.0"; NULL = unknown */
	const char *scratch;  /* directory of its own, or NULL */
	int64_t cores;        /* 0 = unknown */
	int64_t memory;       /* bytes; 0 = unknown */
	int64_t lifetime_s;   /* left from now; 0 = unknown, else at least 1 */
};

/* Reads the process's environment. Strings belong to the arena. now_s: wall
 * clock in seconds, against which the end of the allocation is taken. */
void engine_detect(struct arena *a, int64_t now_s, struct engine *out);

#endif
