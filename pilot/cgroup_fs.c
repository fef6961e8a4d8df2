/*
 * Finds the control group file systems in /proc/self/mountinfo and the
 * process's own place in them, and reads and writes their one-line files.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "pilot/cgroup_fs.h"

#define LINE_MAX_LEN 4096
#define KILL_ROUNDS 20

static bool has_word(const char *list, const char *word, const char *seps)
{
	size_t len = strlen(word);

	while (*list) {
		size_t n = strcspn(list, seps);

		if (n == len && memcmp(list, word, n) == 0)
			return true;
		list += n;
		list += strspn(list, seps);
	}
	return false;
}

/* The root of the hierarchy within its file system, and its mount point. */
struct mount {
	char root[LINE_MAX_LEN];
	char point[LINE_MAX_LEN];
};

/* One line of mountinfo; see proc(5). */
static bool parse_mount(char *line, const char *controller, struct mount *m)
{
	char type[64], options[LINE_MAX_LEN], *dash = strstr(line, " - ");

	if (!dash || sscanf(dash, " - %63s %*s %4095s", type, options) != 2)
		return false;
	if (controller) {
		if (strcmp(type, "cgroup") != 0 ||
		    !has_word(options, controller, ",\n"))
			return false;
	} else if (strcmp(type, "cgroup2") != 0) {
		return false;
	}
	return sscanf(line, "%*s %*s %*s %4095s %4095s", m->root, m->point) ==
	       2;
}

/* The path behind "N:controllers:" of /proc/self/cgroup. */
static bool find_path(const char *controller, char *out, size_t cap)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[LINE_MAX_LEN];
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		char *names = strchr(line, ':');
		char *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		names++;
		found = controller ? has_word(names, controller, ",")
				   : *names == '\0';
		path[strcspn(path, "\n")] = '\0';
		if (found)
			snprintf(out, cap, "%s", path);
	}
	fclose(f);
	return found;
}

/* What is left of the path below the root of the mount, or NULL when it does
 * not lie there: a container's mount may begin at the container's own group,
 * or show groups that its namespace does not. */
static const char *below(const struct mount *m, const char *path)
{
	size_t len = strcmp(m->root, "/") == 0 ? 0 : strlen(m->root);

	if (strncmp(path, m->root, len) != 0 ||
	    (path[len] != '/' && path[len] != '\0'))
		return NULL;
	return strcmp(path + len, "/") == 0 ? "" : path + len;
}

/* The mount that has the path; gives the rest of the path there. */
static const char *find_mount(const char *controller, const char *path,
			      struct mount *m)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[LINE_MAX_LEN];
	const char *rest = NULL;

	if (!f)
		return NULL;
	while (!rest && fgets(line, sizeof(line), f))
		if (parse_mount(line, controller, m))
			rest = below(m, path);
	fclose(f);
	return rest;
}

bool cgroup_fs_own(const char *controller, char *out, size_t cap)
{
	char path[LINE_MAX_LEN];
	const char *rest;
	struct mount m;
	int n;

	if (!find_path(controller, path, sizeof(path)))
		return false;
	rest = find_mount(controller, path, &m);
	if (!rest)
		return false;
	n = snprintf(out, cap, "%s%s", m.point, rest);
	if (n < 0 || (size_t)n >= cap)
		return false;
	return access(out, W_OK | X_OK) == 0;
}

static bool marked_delegated(const char *dir)
{
	static const char *const marks[] = { "user.delegate",
					     "trusted.delegate" };
	char value[8];

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (getxattr(dir, marks[i], value, sizeof(value)) == 1 &&
		    value[0] == '1')
			return true;
	return false;
}

bool cgroup_fs_delegated(const char *own)
{
	char dir[LINE_MAX_LEN], *slash;

	if (geteuid() != 0 || access("/run/systemd/system", F_OK) != 0)
		return true;
	snprintf(dir, sizeof(dir), "%s", own);
	while (!marked_delegated(dir)) {
		slash = strrchr(dir, '/');
		if (!slash || slash == dir)
			return false;
		*slash = '\0';
	}
	return true;
}

static int open_in(const char *dir, const char *file, int flags)
{
	char path[LINE_MAX_LEN];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, file);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, flags | O_CLOEXEC);
}

bool cgroup_fs_write(const char *dir, const char *file, const char *text)
{
	int fd = open_in(dir, file, O_WRONLY);
	size_t len = strlen(text);
	bool ok;
	int saved;

	if (fd < 0)
		return false;
	ok = write(fd, text, len) == (ssize_t)len;
	saved = errno;
	close(fd);
	errno = saved;
	return ok;
}

bool cgroup_fs_write_i64(const char *dir, const char *file, int64_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	return cgroup_fs_write(dir, file, text);
}

bool cgroup_fs_read(const char *dir, const char *file, char *out, size_t cap)
{
	int fd = open_in(dir, file, O_RDONLY);
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return false;
	while (len + 1 < cap && (n = read(fd, out + len, cap - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	out[len] = '\0';
	return n >= 0;
}

int64_t cgroup_fs_count(const char *dir, const char *file, const char *word)
{
	char text[LINE_MAX_LEN], *p = text;
	size_t len = strlen(word);

	if (!cgroup_fs_read(dir, file, text, sizeof(text)))
		return -1;
	while (p && *p) {
		if (strncmp(p, word, len) == 0 && p[len] == ' ')
			return strtoll(p + len, NULL, 10);
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	return -1;
}

bool cgroup_fs_has(const char *dir, const char *file, const char *word)
{
	char text[LINE_MAX_LEN];

	return cgroup_fs_read(dir, file, text, sizeof(text)) &&
	       has_word(text, word, " \n");
}

int cgroup_fs_open_procs(const char *dir)
{
	return open_in(dir, "cgroup.procs", O_WRONLY);
}

void cgroup_fs_kill_each(const char *dir)
{
	char text[65536], *p, *end;

	for (int round = 0; round < KILL_ROUNDS; round++) {
		int n = 0;

		if (!cgroup_fs_read(dir, "cgroup.procs", text, sizeof(text)))
			return;
		for (p = text;; p = end) {
			long pid = strtol(p, &end, 10);

			if (end == p)
				break;
			if (pid > 1 && kill((pid_t)pid, SIGKILL) == 0)
				n++;
		}
		if (n == 0)
			return;
	}
}

/* Calls fn for each group below dir. */
static void each_group(const char *dir,
		       void (*fn)(const char *path, const char *name))
{
	DIR *d = opendir(dir);
	struct dirent *de;

	if (!d)
		return;
	while ((de = readdir(d))) {
		char path[LINE_MAX_LEN];
		int n = snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);

		if (de->d_type == DT_DIR && de->d_name[0] != '.' && n > 0 &&
		    (size_t)n < sizeof(path))
			fn(path, de->d_name);
	}
	closedir(d);
}

static void remove_below(const char *path, const char *name)
{
	(void)name;
	(void)cgroup_fs_remove(path);
}

bool cgroup_fs_remove(const char *dir)
{
	if (rmdir(dir) == 0)
		return true;
	if (errno != EBUSY)
		return false;
	/* A payload may have made groups of its own. */
	each_group(dir, remove_below);
	return rmdir(dir) == 0;
}

static void kill_and_remove(const char *path, const char *name)
{
	(void)name;
	if (!cgroup_fs_write(path, "cgroup.kill", "1"))
		cgroup_fs_kill_each(path);
	(void)cgroup_fs_remove(path);
}

static void remove_if_stale(const char *path, const char *name)
{
	long pid;

	if (strncmp(name, "sortie-", 7) != 0)
		return;
	pid = strtol(name + 7, NULL, 10);
	if (pid <= 1 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
		return;
	each_group(path, kill_and_remove);
	(void)rmdir(path);
}

void cgroup_fs_remove_stale(const char *parent)
{
	each_group(parent, remove_if_stale);
}
