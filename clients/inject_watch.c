/* Watches directories for the injector: see inject_watch.h. */
#include "clients/inject_watch.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "clients/inject_file.h"
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/log.h"

#define EVENTS                                                       \
	(IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO |      \
	 IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | \
	 IN_ONLYDIR | IN_EXCL_UNLINK)
/* Where inotify sees all, a look now and then costs little and finds what a
 * kernel's fault or a mount has hidden. */
#define RESCAN_SURE_MS (10 * 60 * 1000)
#define DEPTH_MAX 100

struct dir {
	LIST_ENTRY(dir) entry;
	int wd;
	char *path;
};

struct inject_watch {
	struct inject_watch_config c;
	int fd; /* inotify's; -1 = none */
	struct event *read_ev, *scan_ev;
	LIST_HEAD(dir_list, dir) dirs;
	struct dir **by_wd;
	size_t cap;
	bool degraded;   /* the kernel's limit of watches is reached */
	bool incomplete; /* a directory could not be read in this look */
	bool root_gone;  /* a directory that was named is not there */
};

/* What is above a directory that is being read, so that a symbolic link to one
 * of them ends there. */
struct above {
	const struct above *up;
	dev_t dev;
	ino_t ino;
	int depth;
};

/* File systems on which others' changes raise no events here. */
static bool is_blind(const char *path)
{
	static const long types[] = {
		0x6969,     /* NFS */
		0x517b,     /* SMB */
		0xff534d42, /* CIFS */
		0xfe534d42, /* SMB2 */
		0x65735546, /* FUSE */
		0x01021997, /* 9P */
		0x5346414f, /* AFS */
		0x6b414653, /* AFS of the kernel */
		0x73757245, /* Coda */
		0x0bd00bd0, /* Lustre */
		0x47504653, /* GPFS */
		0x00c36400, /* Ceph */
		0x19830326, /* BeeGFS */
		0x20030528, /* OrangeFS */
		0x01161970, /* GFS2 */
		0x7461636f, /* OCFS2 */
		0x786f4256, /* VirtualBox's shared folders */
		0xbacbacbc, /* VMware's */
	};
	struct statfs fs;

	if (statfs(path, &fs) != 0)
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((fs.f_type & 0xffffffffL) == types[i])
			return true;
	return false;
}

static struct dir *dir_of(const struct inject_watch *w, int wd)
{
	return wd >= 0 && (size_t)wd < w->cap ? w->by_wd[wd] : NULL;
}

static void dir_forget(struct inject_watch *w, struct dir *d)
{
	w->by_wd[d->wd] = NULL;
	LIST_REMOVE(d, entry);
	free(d->path);
	free(d);
}

static void dir_remember(struct inject_watch *w, int wd, const char *path)
{
	struct dir *d = dir_of(w, wd);

	if (d != NULL) {
		/* The same directory by another way: the last name counts. */
		if (strcmp(d->path, path) != 0) {
			free(d->path);
			d->path = xstrdup(path);
		}
		return;
	}
	if ((size_t)wd >= w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 64;

		while (cap <= (size_t)wd)
			cap *= 2;
		w->by_wd = xrealloc(w->by_wd, cap * sizeof(*w->by_wd));
		memset(w->by_wd + w->cap, 0,
		       (cap - w->cap) * sizeof(*w->by_wd));
		w->cap = cap;
	}
	d = xcalloc(1, sizeof(*d));
	d->wd = wd;
	d->path = xstrdup(path);
	LIST_INSERT_HEAD(&w->dirs, d, entry);
	w->by_wd[wd] = d;
}

/* True when nobody will tell of changes in it. */
static bool watch_dir(struct inject_watch *w, const char *path)
{
	int wd;

	if (w->fd < 0 || is_blind(path))
		return true;
	wd = inotify_add_watch(w->fd, path, EVENTS);
	if (wd >= 0) {
		dir_remember(w, wd, path);
		return false;
	}
	if (errno == ENOSPC && !w->degraded) {
		w->degraded = true;
		w->c.hush(w->c.arg);
		log_warn("no more directories can be watched: raise the "
			 "sysctl fs.inotify.max_user_watches; looking through "
			 "them every %lld s instead",
			 (long long)(w->c.rescan_ms / 1000));
	}
	return true;
}

static void scan_dir(struct inject_watch *w, const char *path,
		     const struct above *up);

static bool is_above(const struct above *a, const struct stat *st)
{
	for (; a != NULL; a = a->up)
		if (a->dev == st->st_dev && a->ino == st->st_ino)
			return true;
	return false;
}

/* Whether the entry is a directory to go into. */
static bool is_dir(const struct inject_watch *w, const char *path,
		   const struct dirent *d)
{
	struct stat st;

	if (d->d_type != DT_UNKNOWN && d->d_type != DT_LNK)
		return d->d_type == DT_DIR;
	if (lstat(path, &st) != 0)
		return false;
	if (S_ISLNK(st.st_mode))
		return w->c.follow && stat(path, &st) == 0 &&
		       S_ISDIR(st.st_mode);
	return S_ISDIR(st.st_mode);
}

static void scan_entry(struct inject_watch *w, const char *path,
		       const struct dirent *d, bool blind,
		       const struct above *up)
{
	if (is_dir(w, path, d)) {
		if (w->c.recursive)
			scan_dir(w, path, up);
	} else if (inject_wanted(w->c.patterns, d->d_name)) {
		w->c.on_file(path, INJECT_FOUND, blind, w->c.arg);
	}
}

static void cannot_read(struct inject_watch *w, const char *path)
{
	if (errno == ENOENT && w->root_gone)
		return;
	w->incomplete = true;
	w->c.hush(w->c.arg);
	log_warn("cannot read the directory '%s': %s", path, strerror(errno));
}

/* It is watched before it is read: what comes in between is told twice, never
 * not at all. */
static void scan_dir(struct inject_watch *w, const char *path,
		     const struct above *up)
{
	struct above here = { .up = up, .depth = up ? up->depth + 1 : 0 };
	struct stat st;
	struct dirent *d;
	struct buf b = BUF_INIT;
	bool blind;
	DIR *dir;

	if (stat(path, &st) != 0 || is_above(up, &st) || here.depth > DEPTH_MAX)
		return;
	here.dev = st.st_dev;
	here.ino = st.st_ino;
	blind = watch_dir(w, path);
	dir = opendir(path);
	if (dir == NULL) {
		cannot_read(w, path);
		return;
	}
	while (errno = 0, (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		buf_reset(&b);
		buf_addf(&b, "%s/%s", strcmp(path, "/") ? path : "", d->d_name);
		scan_entry(w, buf_str(&b), d, blind, &here);
	}
	if (errno != 0)
		cannot_read(w, path);
	closedir(dir);
	buf_fini(&b);
}

static bool sees_all(const struct inject_watch *w)
{
	if (w->fd < 0 || w->degraded || w->root_gone)
		return false;
	for (size_t i = 0; w->c.dirs[i] != NULL; i++)
		if (is_blind(w->c.dirs[i]))
			return false;
	return true;
}

static void scan_later(struct inject_watch *w)
{
	int64_t ms = sees_all(w) ? RESCAN_SURE_MS : w->c.rescan_ms;
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(w->scan_ev, &tv);
}

void inject_watch_scan(struct inject_watch *w)
{
	bool was_gone = w->root_gone;
	struct stat st;

	w->incomplete = w->root_gone = false;
	for (size_t i = 0; w->c.dirs[i] != NULL; i++) {
		if (stat(w->c.dirs[i], &st) == 0) {
			scan_dir(w, w->c.dirs[i], NULL);
			continue;
		}
		w->root_gone = w->incomplete = true;
		if (was_gone)
			continue;
		w->c.hush(w->c.arg);
		log_warn("the directory '%s' is not there: %s", w->c.dirs[i],
			 strerror(errno));
	}
	w->c.on_scanned(!w->incomplete, w->c.arg);
	scan_later(w);
}

/* Is path dir itself, or below it? */
static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}

/* It was renamed away or deleted: watches move along with what they watch, so
 * they are given up. */
static void dir_gone(struct inject_watch *w, const char *path)
{
	struct dir *d, *next;

	for (d = LIST_FIRST(&w->dirs); d != NULL; d = next) {
		next = LIST_NEXT(d, entry);
		if (!is_below(d->path, path))
			continue;
		(void)inotify_rm_watch(w->fd, d->wd);
		dir_forget(w, d);
	}
	w->c.on_dir_gone(path, w->c.arg);
}

static void on_dir_event(struct inject_watch *w, const char *path,
			 const struct inotify_event *ev)
{
	if (!w->c.recursive)
		return;
	if (ev->mask & (IN_MOVED_FROM | IN_DELETE))
		dir_gone(w, path);
	else if (ev->mask & (IN_CREATE | IN_MOVED_TO))
		scan_dir(w, path, NULL);
}

/* A link may lead to a directory, of which its event says nothing. */
static bool is_link_to_dir(const struct inject_watch *w, const char *path)
{
	struct stat st;

	return w->c.follow && w->c.recursive && lstat(path, &st) == 0 &&
	       S_ISLNK(st.st_mode) && stat(path, &st) == 0 &&
	       S_ISDIR(st.st_mode);
}

static void on_file_event(struct inject_watch *w, const char *path,
			  const struct inotify_event *ev)
{
	if ((ev->mask & (IN_CREATE | IN_MOVED_TO)) && is_link_to_dir(w, path)) {
		scan_dir(w, path, NULL);
		return;
	}
	if (!inject_wanted(w->c.patterns, ev->name))
		return;
	if (ev->mask & (IN_MOVED_FROM | IN_DELETE))
		w->c.on_gone(path, w->c.arg);
	else if (ev->mask & IN_MOVED_TO)
		w->c.on_file(path, INJECT_MOVED_IN, false, w->c.arg);
	else if (ev->mask & IN_CLOSE_WRITE)
		w->c.on_file(path, INJECT_CLOSED, false, w->c.arg);
	else if (ev->mask & (IN_CREATE | IN_MODIFY))
		w->c.on_file(path, INJECT_WRITTEN, false, w->c.arg);
}

static void scan_soon(struct inject_watch *w)
{
	struct timeval tv = { 0, 0 };

	evtimer_add(w->scan_ev, &tv);
}

static bool is_named(const struct inject_watch *w, const char *path)
{
	for (size_t i = 0; w->c.dirs[i] != NULL; i++)
		if (strcmp(w->c.dirs[i], path) == 0)
			return true;
	return false;
}

static void on_event(struct inject_watch *w, const struct inotify_event *ev)
{
	struct dir *d = dir_of(w, ev->wd);
	struct buf b = BUF_INIT;

	if (ev->mask & IN_Q_OVERFLOW) {
		w->c.hush(w->c.arg);
		log_warn("more happened than inotify could keep: looking "
			 "through all directories");
		scan_soon(w);
		return;
	}
	if (d == NULL)
		return;
	if (ev->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) {
		buf_adds(&b, d->path);
		dir_gone(w, buf_str(&b));
		/* One that was named may come back under its name. */
		if (is_named(w, buf_str(&b)))
			scan_soon(w);
	} else if (ev->len > 0) {
		buf_addf(&b, "%s/%s", strcmp(d->path, "/") ? d->path : "",
			 ev->name);
		if (ev->mask & IN_ISDIR)
			on_dir_event(w, buf_str(&b), ev);
		else
			on_file_event(w, buf_str(&b), ev);
	}
	buf_fini(&b);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(struct inotify_event) char data[65536];
	struct inject_watch *w = arg;
	ssize_t n = read(fd, data, sizeof(data));

	(void)what;
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *ev =
			(const struct inotify_event *)(const void *)(data + at);

		on_event(w, ev);
		at += (ssize_t)(sizeof(*ev) + ev->len);
	}
}

static void on_scan(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	inject_watch_scan(arg);
}

struct inject_watch *inject_watch_new(const struct inject_watch_config *config,
				      struct err *e)
{
	struct inject_watch *w = xcalloc(1, sizeof(*w));

	w->c = *config;
	w->fd = -1;
	LIST_INIT(&w->dirs);
	w->scan_ev = evtimer_new(config->base, on_scan, w);
	if (!config->no_inotify) {
		w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
		if (w->fd < 0) {
			err_set_errno(e, ERR_IO,
				      "cannot use inotify (see --no-inotify)");
			inject_watch_free(w);
			return NULL;
		}
		w->read_ev = event_new(config->base, w->fd,
				       EV_READ | EV_PERSIST, on_readable, w);
		event_add(w->read_ev, NULL);
	}
	return w;
}

void inject_watch_free(struct inject_watch *w)
{
	if (w == NULL)
		return;
	while (!LIST_EMPTY(&w->dirs))
		dir_forget(w, LIST_FIRST(&w->dirs));
	if (w->read_ev != NULL)
		event_free(w->read_ev);
	if (w->scan_ev != NULL)
		event_free(w->scan_ev);
	if (w->fd >= 0)
		close(w->fd);
	free(w->by_wd);
	free(w);
}
