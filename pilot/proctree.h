/*
 * Finds the processes that belong to a run wherever they have gone: into
 * other process groups, other sessions, or to another parent after a double
 * fork.  A process is the run's when it is in the run's session or carries
 * the run's id in its environment.
 */
#ifndef SORTIE_PILOT_PROCTREE_H
#define SORTIE_PILOT_PROCTREE_H

#include <stdbool.h>
#include <sys/types.h>

/* Signals every process of the run that /proc shows, but those of the process
 * group `session` when `others_only`. Returns how many. session 0 = go by the
 * environment only. */
int proctree_signal(const char *run, pid_t session, bool others_only, int sig);
/* The list of a process's children, which each read from its start makes anew:
 * opening it costs more than reading it. -1 with errno. */
int proctree_open_children(pid_t parent);
/* As proctree_signal, but among those in that list only: orphans end up there,
 * and a kill uncovers the next generation. One small read when there are none
 * besides `except`; *alone says that it was so. Returns how many. */
int proctree_signal_orphans(int children_fd, pid_t except, const char *run,
			    int sig, bool *alone);
/* Signals every child of this process but `except`. Returns how many. */
int proctree_signal_children(pid_t except, int sig);

#endif
