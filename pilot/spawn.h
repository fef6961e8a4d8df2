/*
 * Starts one program: the child gets a fresh session, its own output files
 * and directory, default signals and limits, and nothing else of the pilot's.
 * The child borrows the pilot's memory until it has become the program
 * (CLONE_VM | CLONE_VFORK), so a start costs the same however big the pilot
 * is, and the child's errors come back through that memory.
 */
#ifndef SORTIE_PILOT_SPAWN_H
#define SORTIE_PILOT_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SPAWN_JOIN_MAX 4

struct runas_user;
struct spawner; /* the child's stack, /dev/null, signals */

struct spawn_order {
	const char *path; /* absolute, or relative to cwd */
	char *const *argv;
	char *const *env;
	const char *cwd;
	int out_fd, err_fd;  /* above 2, close-on-exec */
	const int *join_fds; /* cgroup.procs files to enter */
	size_t n_join;
	int64_t data_limit;            /* bytes of RLIMIT_DATA; 0 = leave it */
	int mask;                      /* umask; -1 = the pilot's */
	bool no_new_privs;             /* no set-user-id programs */
	const struct runas_user *user; /* NULL = the pilot's */
};

enum spawn_stage { /* where a start failed */
		   SPAWN_CLONE,
		   SPAWN_SETUP,
		   SPAWN_CGROUP,
		   SPAWN_USER,
		   SPAWN_CWD,
		   SPAWN_EXEC
};

struct spawn_error {
	enum spawn_stage stage;
	int number; /* errno */
};

/* Dies when the machine has no memory or no /dev/null. Signal handlers are in
 * place by then: children get at their default what is not so now. */
struct spawner *spawner_new(void);
void spawner_free(struct spawner *s);

/* The child's pid, or -1 with *e filled and nothing left behind. A file
 * without an interpreter line is given to /bin/sh, as a shell would do. */
pid_t spawn(struct spawner *s, const struct spawn_order *o,
	    struct spawn_error *e);

#endif
