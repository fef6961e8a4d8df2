/*
 * The pilot's own directory: which pilot lived here and with which token, its
 * journal, the fetched files and the working directories of its runs.  It is
 * locked while a pilot lives, mode 0700, and survives it, so that the next
 * pilot in it can speak for the dead one.
 */
#ifndef SORTIE_PILOT_SPOOL_H
#define SORTIE_PILOT_SPOOL_H

#include <stdbool.h>
#include "lib/arena.h"
#include "lib/err.h"

struct spool {
	const char *path;  /* absolute */
	const char *files; /* PATH/files, for what `send` names */
	const char *runs;  /* PATH/runs, for working directories */
	int dir_fd;
	int lock_fd;
};

/* Who lived here last; NULL members when nobody did, or it left in order. */
struct spool_identity {
	const char *pilot; /* UUID */
	const char *token;
	const char *cluster; /* UUID */
};

/* Makes and locks the directory. path given: exactly that one, and it is an
 * error when another pilot lives in it. path NULL: STATE/HOST/N, the first N
 * that is free. state NULL: by $XDG_STATE_HOME, $HOME, or /var/lib/sortie for
 * root. Directories must belong to this user. Strings live in the arena. */
bool spool_open(struct arena *a, const char *path, const char *state,
		const char *host, struct spool *out, struct err *e) MUST_CHECK;
/* Other users' payloads may pass through to their own directories, and see
 * nothing else of it. Refuses when a folder above keeps them out. */
bool spool_let_pass(const struct spool *s, struct err *e) MUST_CHECK;
void spool_close(struct spool *s);

/* An unreadable identity counts as none. */
void spool_identity_read(struct arena *a, const struct spool *s,
			 struct spool_identity *out);
/* Replaces it atomically and durably. */
bool spool_identity_write(const struct spool *s,
			  const struct spool_identity *id,
			  struct err *e) MUST_CHECK;
/* The pilot has left in order: nothing is to be said for it. */
void spool_identity_forget(const struct spool *s);
/* Puts the journal aside under the name journal.unclaimed-PILOT: its ends
 * belong to a server that does not know the pilot any more. */
bool spool_journal_set_aside(const struct spool *s, const char *pilot,
			     struct err *e) MUST_CHECK;

#endif
