/* A file from its first sight to complete: see inject_int.h. */
#include "clients/inject_int.h"

#include <event2/event.h>
#include <string.h>
#include "clients/inject_file.h"
#include "clients/progress.h"
#include "lib/clock.h"
#include "lib/log.h"

/* With --settle 0 a file is complete when it is closed; what was never opened
 * for writing (a link, say) has to be quiet that long. */
#define QUIET_MS 1000
/* More files than that are compared with what the server knows at once. */
#define ASK_FIRST 64

static int64_t quiet_ms(const struct inject *in)
{
	return in->plan->settle_ms ? in->plan->settle_ms : QUIET_MS;
}

static void settle_later(struct inject *in)
{
	struct inject_file *f = inject_first(in->table, INJECT_SETTLING);
	struct timeval tv = { 0, 0 };
	int64_t wait;

	if (f == NULL)
		return;
	wait = f->changed_ms + quiet_ms(in) - clock_mono_ms();
	if (wait > 0) {
		tv.tv_sec = wait / 1000;
		tv.tv_usec = wait % 1000 * 1000;
	}
	evtimer_add(in->settle_ev, &tv);
}

void inject_unsettle(struct inject *in, struct inject_file *f)
{
	if (f->state == INJECT_TOLD)
		f->seen_ms = clock_wall_ms();
	f->changed_ms = clock_mono_ms();
	inject_move(in->table, f, INJECT_SETTLING);
	if (!evtimer_pending(in->settle_ev, NULL))
		settle_later(in);
}

static bool differs(const struct inject_file *f, const struct inject_look *l)
{
	return f->size != l->size || f->mtime_ns != l->mtime_ns;
}

static void note_look(struct inject_file *f, const struct inject_look *l)
{
	f->size = l->size;
	f->mtime_ns = l->mtime_ns;
}

bool inject_is_as_told(const struct inject_file *f)
{
	return f->version > 0 && f->size == f->told_size &&
	       f->mtime_ns / 1000000 == f->told_ms;
}

/* Nothing has happened to it for long enough. */
static void complete(struct inject *in, struct inject_file *f,
		     const struct inject_look *l)
{
	note_look(f, l);
	if (inject_is_as_told(f)) {
		inject_move(in->table, f, INJECT_TOLD);
	} else if (f->size < in->plan->min_size) {
		inject_move(in->table, f, INJECT_SMALL);
	} else if (inject_busy(f->path)) {
		inject_unsettle(in, f);
	} else {
		f->complete_ms = clock_wall_ms();
		inject_move(in->table, f, INJECT_READY);
	}
}

static bool look(const struct inject *in, const char *path,
		 struct inject_look *l)
{
	return inject_look(path, in->plan->follow, l);
}

static void complete_now(struct inject *in, struct inject_file *f)
{
	struct inject_look l;

	if (look(in, f->path, &l))
		complete(in, f, &l);
	else
		inject_remove(in->table, f);
}

/* What tells of no changes by itself must look the same twice. */
static void quiet_is_over(struct inject *in, struct inject_file *f)
{
	struct inject_look l;

	if (f->blind ? !inject_look_anew(f->path, in->plan->follow, &l)
		     : !look(in, f->path, &l)) {
		inject_remove(in->table, f);
	} else if (f->blind && differs(f, &l)) {
		note_look(f, &l);
		inject_unsettle(in, f);
	} else {
		complete(in, f, &l);
	}
}

void inject_on_settle(int fd, short what, void *arg)
{
	struct inject *in = arg;
	int64_t until_ms = clock_mono_ms() - quiet_ms(in);
	struct inject_file *f;

	(void)fd;
	(void)what;
	while ((f = inject_first(in->table, INJECT_SETTLING)) != NULL &&
	       f->changed_ms <= until_ms)
		quiet_is_over(in, f);
	settle_later(in);
	inject_pump(in);
}

/* What the watch tells */

/* It was there long before we looked. */
static bool is_old(const struct inject *in, const struct inject_look *l)
{
	return in->plan->max_age_ms &&
	       l->touched_ms + in->plan->max_age_ms < clock_wall_ms();
}

static void is_new(struct inject *in, const char *path, enum inject_news news,
		   bool blind)
{
	int64_t now_ms = clock_wall_ms();
	struct inject_file *f;
	struct inject_look l;

	if (!look(in, path, &l) || (news == INJECT_FOUND && is_old(in, &l)))
		return;
	f = inject_add(in->table, path);
	note_look(f, &l);
	f->scan = in->scan;
	f->seen_ms = now_ms;
	f->blind = blind || l.link;
	inject_unsettle(in, f);
	/* It has been quiet for long before it was found. */
	if (news == INJECT_FOUND && !f->blind &&
	    l.touched_ms + quiet_ms(in) <= now_ms)
		complete(in, f, &l);
}

static bool is_closed_for_good(const struct inject *in, enum inject_news news)
{
	return news == INJECT_MOVED_IN ||
	       (news == INJECT_CLOSED && in->plan->settle_ms == 0);
}

/* While it settles its events tell, unless they cannot or were lost. */
static void found_again(struct inject *in, struct inject_file *f, bool blind)
{
	struct inject_look l;

	if ((f->state != INJECT_TOLD || !in->plan->again) &&
	    (f->state != INJECT_SETTLING || !blind) && f->state != INJECT_SMALL)
		return;
	if (look(in, f->path, &l) && differs(f, &l)) {
		note_look(f, &l);
		inject_unsettle(in, f);
	}
}

static void is_changed(struct inject *in, struct inject_file *f)
{
	if (f->state == INJECT_SENDING)
		f->changed = true;
	else if (f->state != INJECT_TOLD || in->plan->again)
		inject_unsettle(in, f);
}

void inject_on_file(const char *path, enum inject_news news, bool blind,
		    void *arg)
{
	struct inject *in = arg;
	struct inject_file *f = inject_find(in->table, path);

	if (f != NULL) {
		f->scan = in->scan;
		f->gone = false;
		if (news == INJECT_FOUND)
			found_again(in, f, blind);
		else
			is_changed(in, f);
	} else {
		is_new(in, path, news, blind);
		f = inject_find(in->table, path);
	}
	if (f != NULL && f->state == INJECT_SETTLING &&
	    is_closed_for_good(in, news))
		complete_now(in, f);
	if (in->scanned)
		inject_pump(in);
}

static void is_gone(struct inject *in, struct inject_file *f)
{
	if (f->state == INJECT_SENDING) {
		f->gone = true;
		return;
	}
	if (f->state == INJECT_READY) {
		progress_hide(in->progress);
		log_info("'%s' is gone before it was injected", f->path);
	}
	inject_remove(in->table, f);
}

void inject_on_gone(const char *path, void *arg)
{
	struct inject *in = arg;
	struct inject_file *f = inject_find(in->table, path);

	if (f != NULL)
		is_gone(in, f);
	inject_look_for_the_end(in);
}

struct below {
	struct inject *in;
	const char *dir;
	size_t len;
};

static void gone_if_below(struct inject_file *f, void *arg)
{
	const struct below *b = arg;

	if (strncmp(f->path, b->dir, b->len) == 0 && f->path[b->len] == '/')
		is_gone(b->in, f);
}

void inject_on_dir_gone(const char *path, void *arg)
{
	struct below b = { arg, path, strlen(path) };

	inject_each(b.in->table, gone_if_below, &b);
	inject_look_for_the_end(b.in);
}

static void gone_if_not_found(struct inject_file *f, void *arg)
{
	struct inject *in = arg;

	if (f->scan != in->scan)
		is_gone(in, f);
}

void inject_on_scanned(bool all, void *arg)
{
	struct inject *in = arg;

	if (all)
		inject_each(in->table, gone_if_not_found, in);
	in->scan++;
	if (in->scanned) {
		inject_pump(in);
		return;
	}
	in->scanned = true;
	in->unread = !all;
	if (inject_count(in->table, INJECT_READY) +
		    inject_count(in->table, INJECT_SETTLING) >
	    ASK_FIRST) {
		inject_send_load(in->send);
	} else {
		in->loaded = true;
		inject_pump(in);
	}
}

/* It may have waited for long: is it still what was complete? */
bool inject_is_still(struct inject *in, struct inject_file *f)
{
	struct inject_look l;

	if (!look(in, f->path, &l)) {
		is_gone(in, f);
		return false;
	}
	if (!differs(f, &l))
		return true;
	note_look(f, &l);
	inject_unsettle(in, f);
	return false;
}
