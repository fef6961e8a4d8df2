/* Finds the user for an owner of jobs, and acts as that user: see runas.h. */
#include "pilot/runas.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"

#define SYSTEM_UIDS 1000 /* below are services and the distribution's own */
#define LINE_CAP 1024
#define GROUPS_MAX 65536

struct row {
	const char *owner; /* "*" = everybody else */
	const char *user;  /* "=" = of the owner's name */
	struct row *next;
};

struct runas {
	const char *file;
	struct row *first;
};

static bool read_line(struct arena *a, struct runas *r, char *line, int number,
		      struct row ***last, struct err *e)
{
	static const char blank[] = " \t\r\n";
	const char *word[3] = { NULL, NULL, NULL };
	char *rest = NULL;
	struct row *row;

	line[strcspn(line, "#")] = '\0';
	word[0] = strtok_r(line, blank, &rest);
	for (int i = 1; i < 3 && word[i - 1]; i++)
		word[i] = strtok_r(NULL, blank, &rest);
	if (!word[0])
		return true;
	if (!word[1] || word[2])
		return err_set(e, ERR_BAD_REQUEST,
			       "'%s', line %d: write an owner and a user",
			       r->file, number);
	for (row = r->first; row; row = row->next)
		if (strcmp(row->owner, word[0]) == 0)
			return err_set(e, ERR_BAD_REQUEST,
				       "'%s', line %d: '%s' has a user already",
				       r->file, number, word[0]);
	row = ARENA_NEW(a, struct row);
	row->owner = arena_strdup(a, word[0]);
	row->user = arena_strdup(a, word[1]);
	**last = row;
	*last = &row->next;
	return true;
}

static bool read_rows(struct arena *a, struct runas *r, FILE *f, struct err *e)
{
	struct row **last = &r->first;
	char line[LINE_CAP];

	for (int number = 1; fgets(line, sizeof(line), f); number++) {
		if (!strchr(line, '\n') && !feof(f))
			return err_set(e, ERR_BAD_REQUEST,
				       "'%s', line %d is too long", r->file,
				       number);
		if (!read_line(a, r, line, number, &last, e))
			return false;
	}
	return !ferror(f) ||
	       err_set_errno(e, ERR_IO, "cannot read '%s'", r->file);
}

struct runas *runas_read(struct arena *a, const char *file, struct err *e)
{
	struct runas *r = ARENA_NEW(a, struct runas);
	FILE *f = fopen(file, "re");
	struct stat st;
	bool ok;

	if (!f || fstat(fileno(f), &st) != 0) {
		err_set_errno(e, ERR_IO, "cannot read '%s'", file);
		if (f)
			fclose(f);
		return NULL;
	}
	r->file = arena_strdup(a, file);
	if (st.st_uid != 0 || (st.st_mode & 022))
		ok = err_set(e, ERR_FORBIDDEN,
			     "'%s' says who is who: it must belong to root, "
			     "and nobody else may write it",
			     file);
	else
		ok = read_rows(a, r, f, e);
	fclose(f);
	return ok ? r : NULL;
}

static const struct row *find_row(const struct runas *r, const char *owner)
{
	const struct row *row, *rest = NULL;

	for (row = r->first; row; row = row->next) {
		if (strcmp(row->owner, owner) == 0)
			return row;
		if (strcmp(row->owner, "*") == 0)
			rest = row;
	}
	return rest;
}

/* The user's groups, as many as there are. */
static bool find_groups(struct arena *a, struct runas_user *u)
{
	int cap = 32, n;
	gid_t *groups;

	for (; cap <= GROUPS_MAX; cap *= 2) {
		n = cap;
		groups = ARENA_ARRAY(a, gid_t, (size_t)cap);
		if (getgrouplist(u->name, u->gid, groups, &n) >= 0) {
			u->groups = groups;
			u->n_groups = (size_t)n;
			return true;
		}
	}
	return false;
}

const struct runas_user *runas_find(const struct runas *r, struct arena *a,
				    const char *owner, struct err *e)
{
	struct runas_user *u = ARENA_NEW(a, struct runas_user);
	const struct row *row = find_row(r, owner);
	const struct passwd *pw;
	bool same = row && strcmp(row->user, "=") == 0;
	const char *name = same ? owner : row ? row->user : NULL;

	if (!row) {
		err_set(e, ERR_FORBIDDEN, "'%s' has no user for the owner '%s'",
			r->file, owner);
		return NULL;
	}
	errno = 0;
	pw = getpwnam(name);
	if (!pw) {
		err_set(e, ERR_FORBIDDEN, "there is no user '%s'%s%s", name,
			errno ? ": " : "", errno ? strerror(errno) : "");
		return NULL;
	}
	if (pw->pw_uid == 0 || (same && pw->pw_uid < SYSTEM_UIDS)) {
		err_set(e, ERR_FORBIDDEN,
			pw->pw_uid == 0 ? "no job runs as root (the user '%s')"
					: "the user '%s' is the system's: only "
					  "a line of its own allows it",
			name);
		return NULL;
	}
	u->uid = pw->pw_uid;
	u->gid = pw->pw_gid;
	u->name = arena_strdup(a, pw->pw_name);
	u->home = arena_strdup(a, pw->pw_dir);
	u->shell = arena_strdup(a, *pw->pw_shell ? pw->pw_shell : "/bin/sh");
	if (!find_groups(a, u)) {
		err_set(e, ERR_IO, "the groups of '%s' cannot be told", name);
		return NULL;
	}
	return u;
}

/* libc's setgroups and setresuid reach every thread, and the child borrows our
 * memory: the kernel's own are for the caller alone. */
static int set_groups(size_t n, const gid_t *groups)
{
#ifdef SYS_setgroups32
	return (int)syscall(SYS_setgroups32, n, groups);
#else
	return (int)syscall(SYS_setgroups, n, groups);
#endif
}

static int set_ids(const struct runas_user *u)
{
#ifdef SYS_setresuid32
	return syscall(SYS_setresgid32, u->gid, u->gid, u->gid) ||
	       syscall(SYS_setresuid32, u->uid, u->uid, u->uid);
#else
	return syscall(SYS_setresgid, u->gid, u->gid, u->gid) ||
	       syscall(SYS_setresuid, u->uid, u->uid, u->uid);
#endif
}

/* They tell no failure: asking for an id that nobody has tells the current. */
static bool files_as(uid_t uid, gid_t gid)
{
	(void)setfsgid(gid);
	(void)setfsuid(uid);
	return (uid_t)setfsuid((uid_t)-1) == uid &&
	       (gid_t)setfsgid((gid_t)-1) == gid;
}

void runas_enter(const struct runas_user *u)
{
	if (u && (set_groups(u->n_groups, u->groups) != 0 ||
		  !files_as(u->uid, u->gid)))
		log_die("cannot handle files as the user '%s'", u->name);
}

/* The pilot itself needs no other group than root's. */
void runas_leave(const struct runas_user *u)
{
	int saved = errno;

	if (u && (!files_as(geteuid(), getegid()) || set_groups(0, NULL) != 0))
		log_die("cannot handle files as root again");
	errno = saved;
}

bool runas_become(const struct runas_user *u)
{
	return set_groups(u->n_groups, u->groups) == 0 && set_ids(u) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}
