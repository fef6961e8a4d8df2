/*
 * What the files of a running injector share: inject_run.c (start, time,
 * end), inject_ripen.c (a file from its first sight to complete) and
 * inject_tell.c (telling the server, and its answers).
 */
#ifndef SORTIE_CLIENTS_INJECT_INT_H
#define SORTIE_CLIENTS_INJECT_INT_H

#include "clients/inject_run.h"
#include "clients/inject_watch.h"

struct event_base;
struct event;
struct progress;

struct inject {
	struct cli *c;
	const struct inject_plan *plan;
	struct event_base *base;
	struct inject_table *table;
	struct inject_watch *watch;
	struct inject_send *send;
	struct progress *progress; /* NULL: no terminal */
	struct event *settle_ev, *cycle_ev, *tick_ev, *stop_ev, *signal_ev[3];
	uint32_t scan;
	bool scanned, loaded; /* the first look, and what the server knows */
	bool stopping, ended;
	bool unread;     /* a directory could not be read in the first look */
	int64_t allowed; /* files of this cycle; -1 = any number */
	int64_t cycles;  /* that are over */
	int64_t made, known, refused;
	char last_refusal[sizeof(((struct err *)0)->text)];
	int status;
};

/* inject_run.c */

/* Ends the run as soon as calls that are under way are answered. */
void inject_stop(struct inject *in);
/* As that, when nothing is left to wait for. */
void inject_look_for_the_end(struct inject *in);
/* Ends the run with a sentence and its exit status. */
void inject_fail(struct inject *in, const struct err *e);

/* inject_ripen.c */

/* Callbacks of the watch. */
void inject_on_file(const char *path, enum inject_news news, bool blind,
		    void *arg);
void inject_on_gone(const char *path, void *arg);
void inject_on_dir_gone(const char *path, void *arg);
void inject_on_scanned(bool all, void *arg);
/* The timer of what settles. */
void inject_on_settle(int fd, short what, void *arg);
/* It has changed: it must be quiet for a while anew. */
void inject_unsettle(struct inject *in, struct inject_file *f);
/* Is it what it was when it was complete? If not it goes where it belongs. */
bool inject_is_still(struct inject *in, struct inject_file *f);
/* It is what the server was told last. */
bool inject_is_as_told(const struct inject_file *f);

/* inject_tell.c */

/* Tells of what is ready, as far as there is room. */
void inject_pump(struct inject *in);
/* Those that were refused a while ago are tried again. */
void inject_try_refused(struct inject *in);
/* Callbacks of inject_send.h. */
void inject_on_answer(struct inject_file *f, const struct inject_answer *a,
		      void *arg);
void inject_on_known(const char *path, int version, int64_t size,
		     int64_t changed_ms, void *arg);
bool inject_wants_more(size_t n, void *arg);
void inject_on_loaded(void *arg);
void inject_on_room(void *arg);

#endif
