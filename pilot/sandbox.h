/*
 * Payloads in bubblewrap: the machine's files for reading only, a /tmp and a
 * list of processes of their own, and neither the pilot's spool nor its token.
 * They write into their working directory and where the pilot was told.
 */
#ifndef SORTIE_PILOT_SANDBOX_H
#define SORTIE_PILOT_SANDBOX_H

#include <stdbool.h>
#include "lib/arena.h"
#include "lib/err.h"

struct sandbox {
	const char *program;     /* bwrap, absolute */
	const char *hidden_dir;  /* the spool */
	const char *hidden_file; /* the join token's, absolute, or NULL */
	const char **writable;   /* folders, NULL-terminated, or NULL */
	bool no_network;
};

/* What one payload needs, all absolute but program. */
struct sandbox_run {
	const char *cwd, *work, *job_file;
	const char *program; /* what is to run; its directory may be hidden */
	char *const *argv;
};

/* kind: "bwrap". False with a sentence when there is none on this machine. */
bool sandbox_find(struct arena *a, const char *kind, struct sandbox *out,
		  struct err *e) MUST_CHECK;
/* The command that runs it; its first word is the sandbox's program. */
char **sandbox_argv(struct arena *a, const struct sandbox *s,
		    const struct sandbox_run *run);

#endif
