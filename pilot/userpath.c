/*
 * Opens what a job names, and nothing that only the pilot has.  Where the kernel
 * cannot refuse the links of /proc by itself, the path is walked part by part.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "pilot/userpath.h"

#define LINKS_MAX 40 /* as the kernel has it */

/* Where one is, and what of the path is left. */
struct walk {
	int fd;
	int n_links;
	const char *rest; /* in path */
	char path[PATH_MAX];
};

static bool no(int number)
{
	errno = number;
	return false;
}

static void close_quietly(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

/* False: it could not be opened. */
static bool go(struct walk *w, int fd)
{
	if (fd < 0)
		return false;
	close_quietly(w->fd);
	w->fd = fd;
	return true;
}

/* What the link says comes before the rest. */
static bool follow(struct walk *w, int link)
{
	char text[PATH_MAX], rest[PATH_MAX];
	struct statfs fs;
	ssize_t n;
	int len;

	if (fstatfs(link, &fs) != 0)
		return false;
	if (fs.f_type == PROC_SUPER_MAGIC || ++w->n_links > LINKS_MAX)
		return no(ELOOP);
	n = readlinkat(link, "", text, sizeof(text) - 1);
	if (n < 0)
		return false;
	text[n] = '\0';
	snprintf(rest, sizeof(rest), "%s", w->rest);
	len = snprintf(w->path, sizeof(w->path), "%s/%s", text, rest);
	if (len < 0 || (size_t)len >= sizeof(w->path))
		return no(ENAMETOOLONG);
	w->rest = w->path;
	return text[0] != '/' || go(w, open("/", O_PATH | O_CLOEXEC));
}

/* Takes the next part off the rest. Empty: there is none. */
static bool part_take(struct walk *w, char part[NAME_MAX + 1])
{
	const char *from = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(from, "/");

	if (len > NAME_MAX)
		return no(ENAMETOOLONG);
	memcpy(part, from, len);
	part[len] = '\0';
	w->rest = from + len;
	return true;
}

static bool step(struct walk *w, const char *part)
{
	int fd = openat(w->fd, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	bool ok;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || !S_ISLNK(st.st_mode))
		return go(w, fd);
	ok = follow(w, fd);
	close_quietly(fd);
	return ok;
}

static bool walk_to_end(struct walk *w)
{
	char part[NAME_MAX + 1];

	do {
		if (!part_take(w, part) || (part[0] && !step(w, part)))
			return false;
	} while (part[0]);
	return true;
}

int userpath_walk(int at, const char *path, int flags)
{
	struct walk w = { .fd = -1 };
	char self[40];
	int fd = -1;

	if (!path[0] || strlen(path) >= sizeof(w.path)) {
		errno = path[0] ? ENAMETOOLONG : ENOENT;
		return -1;
	}
	memcpy(w.path, path, strlen(path) + 1);
	w.rest = w.path;
	if (!go(&w, openat(at, path[0] == '/' ? "/" : ".", O_PATH | O_CLOEXEC)))
		return -1;
	if (walk_to_end(&w)) {
		if (flags & O_PATH)
			return w.fd;
		/* This link of /proc leads to what was found, with the
		 * permissions that it has. */
		snprintf(self, sizeof(self), "/proc/self/fd/%d", w.fd);
		fd = open(self, flags | O_CLOEXEC);
	}
	close_quietly(w.fd);
	return fd;
}

int userpath_open(int at, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC,
				.resolve = RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, at, path, &how, sizeof(how));

	/* Some containers forbid every call that they do not know. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = userpath_walk(at, path, flags);
	return fd;
}

int userpath_stat(int at, const char *path, struct stat *st)
{
	int fd = userpath_open(at, path, O_PATH), failed, saved;

	if (fd < 0)
		return -1;
	failed = fstat(fd, st);
	saved = errno;
	close(fd);
	errno = saved;
	return failed;
}
