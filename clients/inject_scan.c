/* Looks through directories for the injector: see inject_watch.h. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "clients/inject_file.h"
#include "clients/inject_table.h"
#include "clients/inject_watch_int.h"
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"

#define DEPTH_MAX 100

/* What is above a directory that is being read, so that a symbolic link to one
 * of them ends there. */
struct above {
	const struct above *up;
	struct inject_place at;
	int depth;
};

static struct inject_place place_of(const struct stat *st)
{
	return (struct inject_place){ st->st_dev, st->st_ino };
}

static bool is_same(struct inject_place a, struct inject_place b)
{
	return a.dev == b.dev && a.ino == b.ino;
}

static void scan_dir(struct inject_watch *w, const char *path,
		     const struct above *up);

static bool is_above(const struct above *a, struct inject_place at)
{
	for (; a != NULL; a = a->up)
		if (is_same(a->at, at))
			return true;
	return false;
}

/* Each directory that links lead to is looked through once a look, however
 * many they are. */
static bool is_first_link(struct inject_watch *w, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	for (size_t i = 0; i < w->n_linked; i++)
		if (is_same(w->linked[i], place_of(&st)))
			return false;
	if (w->n_linked == w->linked_cap) {
		w->linked_cap = w->linked_cap ? w->linked_cap * 2 : 16;
		w->linked =
			xrealloc(w->linked, w->linked_cap * sizeof(*w->linked));
	}
	w->linked[w->n_linked++] = place_of(&st);
	return true;
}

/* A directory has one path, that without links, so that its files are the
 * same by whichever way they are found. */
static void scan_link(struct inject_watch *w, const char *path,
		      const struct above *up)
{
	char *real = realpath(path, NULL);

	if (real != NULL && is_first_link(w, real))
		scan_dir(w, real, up);
	free(real);
}

static unsigned char type_of(const char *path, const struct dirent *d)
{
	struct stat st;

	if (d->d_type != DT_UNKNOWN)
		return d->d_type;
	return lstat(path, &st) == 0 ? IFTODT(st.st_mode) : DT_UNKNOWN;
}

static bool leads_to_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Hidden ones are other programs' workshops and file servers' snapshots. */
bool inject_goes_into(const struct inject_watch *w, const char *name)
{
	return w->c.recursive && name[0] != '.';
}

static void scan_entry(struct inject_watch *w, const char *path,
		       const struct dirent *d, bool blind,
		       const struct above *up)
{
	unsigned char type = type_of(path, d);
	bool link = type == DT_LNK && w->c.follow;

	if (type == DT_DIR || (link && leads_to_dir(path))) {
		if (!inject_goes_into(w, d->d_name))
			return;
		if (link)
			scan_link(w, path, up);
		else
			scan_dir(w, path, up);
	} else if (inject_wanted(w->c.patterns, d->d_name)) {
		/* What becomes of the file behind a link is told nowhere. */
		w->unseen |= link;
		w->c.on_file(path, INJECT_FOUND, blind || w->lost, w->c.arg);
	}
}

/* Until a look reads everything again. */
static bool is_first_said(struct inject_watch *w, const char *path)
{
	uint64_t hash = inject_hash(path);

	for (size_t i = 0; i < w->n_said; i++)
		if (w->said[i] == hash)
			return false;
	if (w->n_said == w->said_cap) {
		w->said_cap = w->said_cap ? w->said_cap * 2 : 16;
		w->said = xrealloc(w->said, w->said_cap * sizeof(*w->said));
	}
	w->said[w->n_said++] = hash;
	return true;
}

static void cannot_read(struct inject_watch *w, const char *path)
{
	int error = errno;

	if (error == ENOENT && w->root_gone)
		return;
	w->incomplete = true;
	if (!is_first_said(w, path))
		return;
	w->c.hush(w->c.arg);
	log_warn("cannot read the directory '%s': %s", path, strerror(error));
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

	if (stat(path, &st) != 0 || is_above(up, place_of(&st)) ||
	    here.depth > DEPTH_MAX)
		return;
	here.at = place_of(&st);
	blind = inject_watch_dir(w, path);
	w->unseen |= blind;
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

void inject_scan_dir(struct inject_watch *w, const char *path)
{
	w->n_linked = 0;
	scan_dir(w, path, NULL);
}

bool inject_scan_link(struct inject_watch *w, const char *path,
		      const char *name)
{
	struct stat st;

	if (!w->c.follow || lstat(path, &st) != 0 || !S_ISLNK(st.st_mode))
		return false;
	if (!leads_to_dir(path)) {
		w->unseen = true;
		return false;
	}
	w->n_linked = 0;
	if (inject_goes_into(w, name))
		scan_link(w, path, NULL);
	return true;
}

static struct inject_place root_place(const struct inject_watch *w, size_t i)
{
	struct stat st;

	if (stat(w->c.dirs[i], &st) != 0)
		return (struct inject_place){ 0, 0 };
	return place_of(&st);
}

bool inject_roots_have_changed(const struct inject_watch *w)
{
	for (size_t i = 0; w->c.dirs[i] != NULL; i++)
		if (!is_same(root_place(w, i), w->roots[i]))
			return true;
	return false;
}

/* Whether the look has come by there, or its events may be forgotten. */
static void forget_unfound_dirs(struct inject_watch *w)
{
	struct inject_dir *d, *next;

	for (d = LIST_FIRST(&w->dirs); d != NULL; d = next) {
		next = LIST_NEXT(d, entry);
		if (d->look != w->look)
			inject_watch_forget(w, d);
	}
}

static void scan_root(struct inject_watch *w, size_t i)
{
	const char *path = w->c.dirs[i];
	bool was_there = w->look == 1 || w->roots[i].ino != 0;

	w->roots[i] = root_place(w, i);
	if (w->roots[i].ino == 0) {
		w->root_gone = w->incomplete = true;
		if (!was_there)
			return;
		w->c.hush(w->c.arg);
		log_warn("the directory '%s' is not there: %s", path,
			 strerror(errno));
		return;
	}
	if (!was_there) {
		w->c.hush(w->c.arg);
		log_info("the directory '%s' is there again", path);
	}
	scan_dir(w, path, NULL);
}

void inject_watch_scan(struct inject_watch *w)
{
	w->incomplete = w->root_gone = w->unseen = w->due = false;
	w->n_linked = 0;
	w->look++;
	for (size_t i = 0; w->c.dirs[i] != NULL; i++)
		scan_root(w, i);
	w->lost = false;
	w->looked_ms = clock_mono_ms();
	if (!w->incomplete) {
		forget_unfound_dirs(w);
		w->n_said = 0;
	}
	w->c.on_scanned(!w->incomplete, w->c.arg);
	inject_watch_tick_later(w);
}
