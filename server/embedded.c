/* Starts, adopts, watches and stops the embedded PostgreSQL. */
#include "server/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <event2/event.h>
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/units.h"
#include "server/db.h"
#include "server/embedded_int.h"
#include "server/options.h"

#define STEP_MS 20 /* between looks while it starts */
#define TELL_MS 10000
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000
#define CALM_MS 10000 /* one that lived this long had no fault */
#define LEFT_MS 30000
#define STOP_MS 120000 /* then at once: recovery does the rest */

const char *embedded_conninfo(const struct embedded *em)
{
	return em->conninfo;
}

static bool take_lock(struct embedded *em, struct err *e)
{
	const char *path = arena_printf(em->arena, "%s/lock", em->dir);
	char text[32];
	int len;

	em->lock_fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (em->lock_fd < 0)
		return err_set_errno(e, ERR_IO, "cannot open \"%s\"", path);
	if (flock(em->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return err_set(e, ERR_CONFLICT,
			       "another sortied (process "
			       "%.10s) uses \"%s\": stop it or choose another "
			       "directory with --embedded",
			       embedded_tail(em, path), em->dir);
	len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(em->lock_fd, 0) != 0 ||
	    pwrite(em->lock_fd, text, (size_t)len, 0) != len)
		return err_set_errno(e, ERR_IO, "cannot write \"%s\"", path);
	return true;
}

/* The postmaster that runs on our data, 0 when none does: its number is in
 * the file, and a living process with that number has its data directory as
 * working directory, so a number that was given again deceives nobody. */
static pid_t running_postmaster(struct embedded *em)
{
	const char *file =
		arena_printf(em->arena, "%s/postmaster.pid", em->data);
	char text[16] = "", cwd[4096];
	const char *link;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	struct err e;
	int64_t pid;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	if (!units_parse_i64(text, 2, INT32_MAX, &pid, &e))
		return 0;
	link = arena_printf(em->arena, "/proc/%lld/cwd", (long long)pid);
	n = readlink(link, cwd, sizeof(cwd) - 1);
	if (n <= 0)
		return 0;
	cwd[n] = '\0';
	return strcmp(cwd, em->data) == 0 ? (pid_t)pid : 0;
}

static bool watch_pid(struct embedded *em, pid_t pid, bool child, struct err *e)
{
	em->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (em->pid_fd < 0)
		return err_set_errno(e, ERR_IO,
				     "cannot watch the database's "
				     "process %ld",
				     (long)pid);
	em->pid = pid;
	em->child = child;
	return true;
}

/* Takes note of the end; false while it lives. */
static bool has_ended(struct embedded *em, int timeout_ms)
{
	struct pollfd p = { .fd = em->pid_fd, .events = POLLIN };
	int status = 0;

	if (em->pid == 0)
		return true;
	if (poll(&p, 1, timeout_ms) <= 0)
		return false;
	if (em->child)
		waitpid(em->pid, &status, 0);
	close(em->pid_fd);
	em->pid_fd = -1;
	em->pid = 0;
	return true;
}

static bool start(struct embedded *em, struct err *e)
{
	const char *path = arena_printf(em->arena, "%s/postgres.log", em->dir);
	const char *argv[] = {
		arena_printf(em->arena, "%s/postgres", em->bindir),
		"-D",
		em->data,
		NULL,
	};
	struct embedded_cmd cmd = { .argv = argv, .detached = true };
	pid_t pid;

	cmd.output = open(path,
			  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
				  O_NOFOLLOW | O_APPEND,
			  0600);
	if (cmd.output < 0)
		return err_set_errno(e, ERR_IO, "cannot open \"%s\"", path);
	pid = embedded_spawn(em, &cmd, e);
	close(cmd.output);
	return pid > 0 && watch_pid(em, pid, true, e);
}

static bool adopt(struct embedded *em, struct err *e)
{
	pid_t pid = running_postmaster(em);

	if (pid == 0)
		return false;
	if (!watch_pid(em, pid, false, e))
		return false;
	log_info("the database's process %ld has outlived its sortied and "
		 "goes on",
		 (long)pid);
	kill(pid, SIGHUP);
	return true;
}

static bool accepts(struct embedded *em, struct err *e)
{
	struct db_sync *db = db_sync_open(em->conninfo, e);

	if (db == NULL)
		return false;
	db_sync_close(db);
	return true;
}

static bool ended_early(struct embedded *em, struct err *e)
{
	const char *log = arena_printf(em->arena, "%s/postgres.log", em->dir);
	const char *why = embedded_tail(em, log);

	return err_set(e, ERR_IO,
		       "the embedded database ended while it "
		       "started: %s",
		       *why == '\0' ? "see its log" : why);
}

static bool wait_ready(struct embedded *em, struct err *e)
{
	int64_t begun = clock_mono_ms(), told = begun;

	while (!accepts(em, e)) {
		int64_t now = clock_mono_ms();

		if (em->stop != NULL && *em->stop != 0)
			return err_set(e, ERR_UNAVAILABLE,
				       "told to stop while the database "
				       "started");
		if (has_ended(em, STEP_MS))
			return ended_early(em, e);
		if (now - told < TELL_MS)
			continue;
		told = now;
		log_info("waiting for the database for %lld s: %s",
			 (long long)(now - begun) / 1000, e->text);
	}
	return true;
}

/* One that is just ending is waited for, then started again.  What a killed
 * one left (its file, processes that still hold its memory) may be in the way
 * for a moment; without anything left the first failure is the last. */
static bool bring_up(struct embedded *em, struct err *e)
{
	const char *file =
		arena_printf(em->arena, "%s/postmaster.pid", em->data);
	bool left = access(file, F_OK) == 0;
	int64_t until = clock_mono_ms() + (left ? LEFT_MS : 0);

	if (adopt(em, e) && wait_ready(em, e))
		return true;
	while (em->pid == 0 && (em->stop == NULL || *em->stop == 0)) {
		if (start(em, e) && wait_ready(em, e))
			return true;
		if (clock_mono_ms() >= until)
			return false;
		(void)poll(NULL, 0, RETRY_MIN_MS);
	}
	return false;
}

void embedded_forget(struct embedded *em)
{
	if (em->ended != NULL)
		event_free(em->ended);
	if (em->again != NULL)
		event_free(em->again);
	if (em->pid_fd >= 0)
		close(em->pid_fd);
	if (em->lock_fd >= 0)
		close(em->lock_fd);
	arena_free(em->arena);
	free(em);
}

/* libpq's form: quotes and backslashes in the path are escaped. */
static const char *conninfo(struct embedded *em)
{
	struct buf b = BUF_INIT;
	const char *text;

	buf_adds(&b, "host='");
	for (const char *s = em->sockets; *s != '\0'; s++) {
		if (*s == '\'' || *s == '\\')
			buf_addc(&b, '\\');
		buf_addc(&b, *s);
	}
	buf_adds(&b, "' port=5432 user=sortie dbname=sortie");
	text = arena_strdup(em->arena, buf_str(&b));
	buf_fini(&b);
	return text;
}

static struct embedded *embedded_new(const struct settings *set)
{
	struct embedded *em = xcalloc(1, sizeof(*em));

	embedded_clear_environment();
	em->arena = arena_new();
	em->dir = arena_strdup(em->arena, set->embedded);
	em->data = arena_printf(em->arena, "%s/pg", em->dir);
	em->die_with_us = set->dev;
	em->lock_fd = -1;
	em->pid_fd = -1;
	return em;
}

struct embedded *embedded_attach(const struct settings *set, struct err *e)
{
	struct embedded *em = embedded_new(set);

	if (embedded_choose_user(em, set->user, e) &&
	    embedded_make_dirs(em, e)) {
		em->conninfo = conninfo(em);
		return em;
	}
	embedded_stop(em, false);
	return NULL;
}

struct embedded *embedded_start(const struct settings *set,
				const volatile sig_atomic_t *stop,
				struct err *e)
{
	struct embedded *em = embedded_new(set);

	em->stop = stop;
	if (embedded_choose_user(em, set->user, e) &&
	    embedded_make_dirs(em, e) && take_lock(em, e) &&
	    embedded_make(em, set->pg_bindir, e)) {
		em->conninfo = conninfo(em);
		if (bring_up(em, e))
			return em;
	}
	embedded_stop(em, false);
	return NULL;
}

/* Supervision */

static void retry_later(struct embedded *em)
{
	struct timeval tv = { em->retry_ms / 1000, em->retry_ms % 1000 * 1000 };

	event_add(em->again, &tv);
	em->retry_ms += em->retry_ms / 2;
	if (em->retry_ms > RETRY_MAX_MS)
		em->retry_ms = RETRY_MAX_MS;
}

static void on_ended(evutil_socket_t fd, short what, void *arg);

static void supervise(struct embedded *em)
{
	if (em->ended != NULL)
		event_free(em->ended);
	em->begun_ms = clock_mono_ms();
	em->ended = event_new(em->base, em->pid_fd, EV_READ, on_ended, em);
	if (em->ended == NULL || event_add(em->ended, NULL) != 0)
		log_die("cannot watch the database's process");
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct embedded *em = arg;

	(void)fd;
	(void)what;
	if (!has_ended(em, 0))
		return;
	event_free(em->ended);
	em->ended = NULL;
	if (clock_mono_ms() - em->begun_ms > CALM_MS)
		em->retry_ms = RETRY_MIN_MS;
	log_error("the embedded database has ended; starting it again");
	retry_later(em);
}

/* What a killed postmaster leaves behind may hold its memory for a moment:
 * then this one ends at once, and the next attempt comes later. */
static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct embedded *em = arg;
	struct err e = ERR_INIT;

	(void)fd;
	(void)what;
	if (start(em, &e)) {
		supervise(em);
		return;
	}
	log_error("%s", e.text);
	retry_later(em);
}

void embedded_supervise(struct embedded *em, struct event_base *base)
{
	em->base = base;
	em->retry_ms = RETRY_MIN_MS;
	em->again = event_new(base, -1, 0, on_again, em);
	if (em->again == NULL)
		log_die("no memory to watch the database");
	supervise(em);
}

void embedded_stop(struct embedded *em, bool hurry)
{
	int64_t until = clock_mono_ms() + STOP_MS;

	if (em == NULL)
		return;
	if (em->pid != 0)
		kill(em->pid, SIGINT);
	while (!hurry && em->pid != 0 && !has_ended(em, 100)) {
		if (clock_mono_ms() < until)
			continue;
		log_warn("the database does not stop: stopping it at once");
		kill(em->pid, SIGQUIT);
		until = INT64_MAX;
	}
	embedded_forget(em);
}
