/*
 * Control groups for payloads: limits of memory and processes that hold for
 * everything a payload starts, and a kill that nothing escapes.  What the
 * machine offers is found out once: version 2 where it is delegated to the
 * pilot, else the version 1 hierarchies it may write (with version 2 beside
 * them for the kill), else none.  A group costs about a millisecond, so only
 * runs that ask for memory get one.
 *
 * Directories: sortie-PID/RUN below the pilot's own group.
 */
#ifndef SORTIE_PILOT_CGROUP_H
#define SORTIE_PILOT_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

struct cgroups; /* the pilot's */
struct cgroup;  /* one run's */

/* Always gives one, and logs of which kind or why none; try = false looks for
 * none. Version 2 moves the pilot and its keeper into sortie-PID/pilot. */
struct cgroups *cgroups_open(bool try);
/* Removes what it has made, runs' leftover groups too, and leaves the pilot
 * where it was. */
void cgroups_close(struct cgroups *c);
/* "v2", "v1" or "none". */
const char *cgroups_kind(const struct cgroups *c);
/* Tries again to remove groups that were still busy. */
void cgroups_sweep(struct cgroups *c);

/* memory: bytes, 0 = no limit; pids: processes and threads, 0 = no limit.
 * NULL with *e filled when the group cannot be made; NULL with e->code ERR_NONE
 * when the machine has none. */
struct cgroup *cgroup_make(struct cgroups *c, const char *run, int64_t memory,
			   int64_t pids, struct err *e);
/* Descriptors to which a process writes "0" to enter. */
const int *cgroup_join_fds(const struct cgroup *g, size_t *n);
/* Kills everything in it. */
void cgroup_kill(struct cgroup *g);
bool cgroup_empty(struct cgroup *g);
/* Processes that the kernel has killed for want of memory. */
int64_t cgroup_oom_kills(struct cgroup *g);
/* Removes it with what was made below it, later if it is still busy. NULL
 * ok. */
void cgroup_free(struct cgroup *g);

#endif
