/*
 * Whose user a payload runs as when the pilot is root: a file of the pilot's
 * own says which owner of jobs is which user of this machine.
 *
 *	# owner  user
 *	alice    asmith
 *	beam     daq		a system user (below 1000) has to be named
 *	*        =		everybody else: the user of the same name
 *
 * Nobody is root, and who is not in the file runs nothing here.
 */
#ifndef SORTIE_PILOT_RUNAS_H
#define SORTIE_PILOT_RUNAS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "lib/arena.h"
#include "lib/err.h"

struct runas; /* the file's contents */

struct runas_user {
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* all of them, as initgroups would set */
	size_t n_groups;
	const char *name, *home, *shell;
};

/* NULL with *e filled: not readable, not understood (with its line), or others
 * than root may write it. All lies in the arena. */
struct runas *runas_read(struct arena *a, const char *file, struct err *e);
/* NULL with *e filled: the owner has no user here. The user is looked up anew
 * each time: accounts come and go while a pilot lives. */
const struct runas_user *runas_find(const struct runas *r, struct arena *a,
				    const char *owner, struct err *e);

/* Between the two this thread opens, makes and looks at files as that user and
 * not as root. u NULL: nothing changes. Dies rather than go on as root. */
void runas_enter(const struct runas_user *u);
void runas_leave(const struct runas_user *u);
/* This process becomes the user for good, without any way back. Only system
 * calls; false with errno. */
bool runas_become(const struct runas_user *u) MUST_CHECK;

#endif
