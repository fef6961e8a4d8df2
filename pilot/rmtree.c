/*
 * Removes a directory tree that somebody else has filled: depth, width, links
 * and permissions are whatever a payload chose to make.  Each call works
 * through a bounded number of entries and starts from the top again, so no
 * state has to survive between calls.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "pilot/rmtree.h"

/* One descriptor per level; what lies deeper is moved to the top first. */
#define DEPTH_MAX 32
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct removal {
	int top_fd;
	int budget;
	bool progress;  /* something has gone in this call */
	unsigned moved; /* names given to moved directories */
	int error;      /* first errno that stopped an entry */
};

static int remove_entries(struct removal *r, int fd, int depth);

static int open_dir(int at, const char *name)
{
	int fd = openat(at, name, DIR_FLAGS);

	if (fd >= 0 || errno != EACCES)
		return fd;
	/* Payloads may take their own rights away; no link is followed, for
	 * a link gives ELOOP or ENOTDIR above, not EACCES. */
	if (fchmodat(at, name, 0700, 0) != 0)
		return -1;
	return openat(at, name, DIR_FLAGS);
}

static bool is_dots(const char *s)
{
	return strcmp(s, ".") == 0 || strcmp(s, "..") == 0;
}

/* Moves a directory that lies too deep to a fresh name at the top. */
static int move_up(struct removal *r, int at, const char *name)
{
	char to[32];

	for (int tries = 0; tries < 1000; tries++) {
		snprintf(to, sizeof(to), ".sortie-deep-%u", r->moved++);
		if (renameat(at, name, r->top_fd, to) == 0)
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
			break;
	}
	return -1;
}

static int remove_dir(struct removal *r, int at, const char *name, int depth)
{
	int fd, more;

	if (unlinkat(at, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES)
		return -1;
	fd = open_dir(at, name);
	if (fd < 0)
		return -1;
	if (depth >= DEPTH_MAX) {
		(void)fchmod(fd, 0700);
		close(fd);
		return move_up(r, at, name);
	}
	more = remove_entries(r, fd, depth + 1);
	close(fd);
	if (more)
		return 0;
	return unlinkat(at, name, AT_REMOVEDIR);
}

static int remove_entry(struct removal *r, int at, const char *name, int depth)
{
	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR || errno == EPERM)
		return remove_dir(r, at, name, depth);
	return -1;
}

/* 1 = the budget is used up. Takes a descriptor it does not close. */
static int remove_entries(struct removal *r, int fd, int depth)
{
	int dup_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	DIR *d = dup_fd < 0 ? NULL : fdopendir(dup_fd);
	bool retried = false;
	struct dirent *de;

	if (!d) {
		r->error = errno;
		if (dup_fd >= 0)
			close(dup_fd);
		return 0;
	}
	rewinddir(d); /* the two share their place */
	while (r->budget > 0 && (de = readdir(d))) {
		if (is_dots(de->d_name))
			continue;
		r->budget--;
		if (remove_entry(r, fd, de->d_name, depth) == 0) {
			r->progress = true;
			continue;
		}
		if (errno == EACCES && !retried) {
			retried = true;
			(void)fchmod(fd, 0700);
			rewinddir(d);
		} else if (!r->error) {
			r->error = errno;
		}
	}
	closedir(d);
	return r->budget <= 0;
}

int rmtree(int dir_fd, const char *name, int budget)
{
	struct removal r = { .budget = budget };

	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -1;
	r.top_fd = open_dir(dir_fd, name);
	if (r.top_fd < 0)
		return -1;
	/* Directories moved up from below need another round. */
	for (;;) {
		unsigned before = r.moved;
		int more = remove_entries(&r, r.top_fd, 0);

		/* A budget spent on what cannot go must not be spent again. */
		if (more && r.progress) {
			close(r.top_fd);
			return 1;
		}
		if (r.moved == before)
			break;
	}
	close(r.top_fd);
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (r.error)
		errno = r.error;
	return -1;
}

static int64_t usage_at(int at, const char *name, int *budget, int depth)
{
	int fd = openat(at, name, DIR_FLAGS);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int64_t sum = 0;
	struct dirent *de;
	struct stat st;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (*budget > 0 && (de = readdir(d))) {
		if (is_dots(de->d_name))
			continue;
		(*budget)--;
		if (fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		sum += (int64_t)st.st_blocks * 512;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			sum += usage_at(dirfd(d), de->d_name, budget,
					depth + 1);
	}
	closedir(d);
	return sum;
}

int64_t rmtree_usage(int dir_fd, const char *name, int budget)
{
	return usage_at(dir_fd, name, &budget, 0);
}
