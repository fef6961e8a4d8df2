/*
 * What embedded.c (running it) and embedded_init.c (making it) share.  Nobody
 * else includes this.
 */
#ifndef SORTIE_SERVER_EMBEDDED_INT_H
#define SORTIE_SERVER_EMBEDDED_INT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/arena.h"
#include "lib/err.h"

struct event;
struct event_base;

struct embedded {
	struct arena *arena;
	const char *dir;     /* absolute */
	const char *data;    /* DIR/pg */
	const char *sockets; /* the socket's directory */
	const char *bindir;
	const char *conninfo;
	bool die_with_us; /* --dev: stops when we are killed */
	bool other_user;  /* we are root, the database is not */
	uid_t uid;
	gid_t gid;
	const char *user; /* its user's name */
	int lock_fd;
	pid_t pid;  /* of the postmaster, 0 = none */
	bool child; /* we started it, so we reap it */
	int pid_fd; /* readable when it ends, -1 = none */
	const volatile sig_atomic_t *stop;
	struct event_base *base; /* NULL until it is supervised */
	struct event *ended;     /* on pid_fd */
	struct event *again;     /* the next attempt to start it */
	int64_t retry_ms;
	int64_t begun_ms; /* when the living one was started */
};

/* embedded_init.c */

/* Whom the database runs as; em->user and so on. */
bool embedded_choose_user(struct embedded *em, const char *wanted,
			  struct err *e) MUST_CHECK;
/* DIR and its parts, with owners and modes; says which folder stands in the
 * way. */
bool embedded_make_dirs(struct embedded *em, struct err *e) MUST_CHECK;
/* initdb and the database `sortie`, whole or not at all; and our settings,
 * written at each start. */
bool embedded_make(struct embedded *em, const char *bindir,
		   struct err *e) MUST_CHECK;

/* embedded_tune.c */

/* Writes sortied.conf, pg_hba.conf and pg_ident.conf into dir. */
bool embedded_configure(struct embedded *em, const char *dir,
			struct err *e) MUST_CHECK;

/* embedded_proc.c */

struct embedded_cmd {
	const char *const *argv; /* [0]: path; NULL-terminated */
	const char *input;       /* for standard input, or NULL */
	int output;              /* its standard output and error */
	bool detached;           /* own session: signals that a
					   terminal sends do not reach it */
};

/* Removes the PG* variables, which would send libpq or initdb elsewhere. */
void embedded_clear_environment(void);
/* Starts a program as the database's user, in the database's directory,
 * without PG* variables. -1 and *e on failure. */
pid_t embedded_spawn(struct embedded *em, const struct embedded_cmd *cmd,
		     struct err *e);
/* Runs one to its end; its output's last lines are the error's text. */
bool embedded_run(struct embedded *em, const char *const *argv,
		  const char *input, struct err *e) MUST_CHECK;
/* The end of a file as text in the arena, "" when there is none. */
const char *embedded_tail(struct embedded *em, const char *path);
/* Calls fn in a child that has become the database's user; fn's text (in the
 * pipe's bound) is the error. */
bool embedded_as_user(struct embedded *em,
		      bool (*fn)(struct embedded *em, struct err *e),
		      struct err *e) MUST_CHECK;

#endif
