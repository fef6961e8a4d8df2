/* Watches directories for the injector: see inject_watch.h. */
#include "clients/inject_watch.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "clients/inject_file.h"
#include "clients/inject_watch_int.h"
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"

#define EVENTS                                                       \
	(IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO |      \
	 IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | \
	 IN_ONLYDIR | IN_EXCL_UNLINK)
/* Where inotify sees all, a look now and then costs little and finds what a
 * kernel's fault or a mount has hidden. */
#define RESCAN_SURE_MS (10 * 60 * 1000)

static struct inject_dir *dir_of(const struct inject_watch *w, int wd)
{
	return wd >= 0 && (size_t)wd < w->cap ? w->by_wd[wd] : NULL;
}

static void dir_forget(struct inject_watch *w, struct inject_dir *d)
{
	w->by_wd[d->wd] = NULL;
	LIST_REMOVE(d, entry);
	free(d->path);
	free(d);
}

void inject_watch_forget(struct inject_watch *w, struct inject_dir *d)
{
	(void)inotify_rm_watch(w->fd, d->wd);
	dir_forget(w, d);
}

static void dir_remember(struct inject_watch *w, int wd, const char *path)
{
	struct inject_dir *d = dir_of(w, wd);

	if (d != NULL) {
		/* The same directory by another way: the last name counts. */
		if (strcmp(d->path, path) != 0) {
			free(d->path);
			d->path = xstrdup(path);
		}
		d->look = w->look;
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
	d->look = w->look;
	d->path = xstrdup(path);
	LIST_INSERT_HEAD(&w->dirs, d, entry);
	w->by_wd[wd] = d;
}

static bool is_blind(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && inject_is_remote(&fs);
}

bool inject_watch_dir(struct inject_watch *w, const char *path)
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

void inject_watch_tick_later(struct inject_watch *w)
{
	struct timeval tv = { w->c.rescan_ms / 1000,
			      w->c.rescan_ms % 1000 * 1000 };

	evtimer_add(w->tick_ev, &tv);
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
	struct inject_dir *d, *next;

	for (d = LIST_FIRST(&w->dirs); d != NULL; d = next) {
		next = LIST_NEXT(d, entry);
		if (is_below(d->path, path))
			inject_watch_forget(w, d);
	}
	w->c.on_dir_gone(path, w->c.arg);
}

static void on_dir_event(struct inject_watch *w, const char *path,
			 const struct inotify_event *ev)
{
	if (!inject_goes_into(w, ev->name))
		return;
	if (ev->mask & (IN_MOVED_FROM | IN_DELETE))
		dir_gone(w, path);
	else if (ev->mask & (IN_CREATE | IN_MOVED_TO))
		inject_scan_dir(w, path);
}

static void on_file_event(struct inject_watch *w, const char *path,
			  const struct inotify_event *ev)
{
	/* A new name may be a link, to a directory even, of which its event
	 * says nothing. */
	if ((ev->mask & (IN_CREATE | IN_MOVED_TO)) &&
	    inject_scan_link(w, path, ev->name))
		return;
	/* It may have been a link to a directory. */
	if (ev->mask & (IN_MOVED_FROM | IN_DELETE))
		w->unseen |= w->c.follow;
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

	w->due = true;
	evtimer_add(w->tick_ev, &tv);
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
	struct inject_dir *d = dir_of(w, ev->wd);
	struct buf b = BUF_INIT;

	if (ev->mask & IN_Q_OVERFLOW) {
		w->c.hush(w->c.arg);
		log_warn("more happened than inotify could keep: looking "
			 "through all directories");
		w->lost = true;
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

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct inject_watch *w = arg;

	(void)fd;
	(void)what;
	if (w->due || w->fd < 0 || w->unseen || w->root_gone ||
	    clock_mono_ms() - w->looked_ms >= RESCAN_SURE_MS ||
	    inject_roots_have_changed(w))
		inject_watch_scan(w);
	else
		inject_watch_tick_later(w);
}

static void open_inotify(struct inject_watch *w)
{
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0) {
		w->c.hush(w->c.arg);
		log_warn("cannot use inotify: %s (the sysctl "
			 "fs.inotify.max_user_instances?); looking through "
			 "the directories every %lld s instead",
			 strerror(errno), (long long)(w->c.rescan_ms / 1000));
		return;
	}
	w->read_ev = event_new(w->c.base, w->fd, EV_READ | EV_PERSIST,
			       on_readable, w);
	event_add(w->read_ev, NULL);
}

struct inject_watch *inject_watch_new(const struct inject_watch_config *config)
{
	struct inject_watch *w = xcalloc(1, sizeof(*w));
	size_t n = 0;

	w->c = *config;
	w->fd = -1;
	LIST_INIT(&w->dirs);
	while (config->dirs[n] != NULL)
		n++;
	w->roots = xcalloc(n + 1, sizeof(*w->roots));
	w->tick_ev = evtimer_new(config->base, on_tick, w);
	if (!config->no_inotify)
		open_inotify(w);
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
	event_free(w->tick_ev);
	if (w->fd >= 0)
		close(w->fd);
	free(w->by_wd);
	free(w->roots);
	free(w->linked);
	free(w->said);
	free(w);
}
