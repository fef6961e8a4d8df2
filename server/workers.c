/* Keeps several servers going as one. */
#include "server/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <event2/event.h>
#include "lib/clock.h"
#include "lib/log.h"
#include "server/db.h"
#include "server/dev.h"
#include "server/embedded.h"
#include "server/listen.h"
#include "server/prepare.h"
#include "server/reload.h"
#include "server/sdnotify.h"
#include "server/serve_int.h"
#include "server/server.h"

#define RETRY_MIN_MS 200
#define RETRY_MAX_MS 10000
/* One that lived this long may start again at once. */
#define CALM_MS 10000

struct keeper;

struct worker {
	struct keeper *keeper;
	int number; /* from 1 */
	pid_t pid;  /* 0: not running */
	int fd;     /* what it writes to when it serves; -1 */
	struct event *told;
	struct event *again;
	int64_t begun_ms, retry_ms;
	bool ready;
};

enum { S_TERM, S_INT, S_HUP, S_CHLD, N_SIGNALS };

struct keeper {
	struct server srv; /* base, set, arena, embedded, conninfo */
	struct arena *arena;
	struct settings *set;
	int argc;
	char **argv;
	struct sockets sockets;
	struct event *signals[N_SIGNALS];
	sigset_t mask; /* what was blocked before a fork */
	struct worker *worker;
	struct dev *dev;
	bool announced; /* all served once */
	bool stopping;
	bool failed;
};

/* The child */

static void on_serving(void *arg)
{
	int *fd = arg;

	if (write(*fd, "", 1) != 1)
		log_warn("cannot tell that this worker serves");
	close(*fd);
	*fd = -1;
}

/* What belongs to the parent is let go: its loop, the database's lock. */
static void leave_parent(struct keeper *k)
{
	struct worker *w;

	if (event_reinit(k->srv.base) != 0)
		log_die("cannot leave the parent's loop");
	for (int i = 0; i < N_SIGNALS; i++)
		event_free(k->signals[i]);
	for (w = k->worker; w < k->worker + k->set->workers; w++) {
		if (w->told != NULL)
			event_free(w->told);
		if (w->fd >= 0)
			close(w->fd);
		event_free(w->again);
	}
	if (k->srv.embedded != NULL)
		embedded_forget(k->srv.embedded);
	event_base_free(k->srv.base);
}

_Noreturn static void worker_run(struct worker *w, int fd, pid_t parent)
{
	struct keeper *k = w->keeper;
	struct serve_worker self = {
		.number = w->number,
		.sockets = k->sockets,
		.conninfo = arena_strdup(k->arena, k->srv.conninfo),
		.ready = on_serving,
		.arg = &fd,
	};
	int status;

	self.sockets.borrowed = true;
	/* A terminal's interrupt is for the parent, who passes it on. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	leave_parent(k);
	serve_catch_early();
	log_init(arena_printf(k->arena, "sortied %d", w->number));
	sigprocmask(SIG_SETMASK, &k->mask, NULL);
	unsetenv("NOTIFY_SOCKET");
	status = serve_one(k->arena, k->set, k->argc, k->argv, &self);
	_exit(status);
}

/* The parent */

static void announce(struct keeper *k)
{
	k->announced = true;
	sdnotify_ready();
	sdnotify_watchdog(k->srv.base);
	if (k->set->dev && k->sockets.n > 0)
		k->dev = dev_start(&k->srv, k->sockets.list[0].text);
	log_info("all %lld workers serve", (long long)k->set->workers);
}

static void check_ready(struct keeper *k)
{
	for (int i = 0; i < k->set->workers; i++)
		if (!k->worker[i].ready)
			return;
	if (!k->announced)
		announce(k);
}

static void told_end(struct worker *w)
{
	if (w->told != NULL)
		event_free(w->told);
	w->told = NULL;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

static void on_told(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	char c;

	(void)what;
	w->ready = read(fd, &c, 1) == 1;
	told_end(w);
	if (w->ready)
		check_ready(w->keeper);
}

/* The longer the pause, the more often it failed. */
static void start_later(struct worker *w)
{
	struct timeval tv;

	if (clock_mono_ms() - w->begun_ms > CALM_MS)
		w->retry_ms = 0;
	tv.tv_sec = (time_t)(w->retry_ms / 1000);
	tv.tv_usec = (suseconds_t)(w->retry_ms % 1000 * 1000);
	event_add(w->again, &tv);
	w->retry_ms = w->retry_ms == 0 ? RETRY_MIN_MS : w->retry_ms * 2;
	if (w->retry_ms > RETRY_MAX_MS)
		w->retry_ms = RETRY_MAX_MS;
}

/* A signal that comes before the child can catch it waits until it can. */
static pid_t fork_blocked(struct keeper *k)
{
	sigset_t all;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &k->mask);
	pid = fork();
	if (pid != 0)
		sigprocmask(SIG_SETMASK, &k->mask, NULL);
	return pid;
}

static void worker_start(struct worker *w)
{
	struct keeper *k = w->keeper;
	pid_t parent = getpid();
	int fd[2];

	w->begun_ms = clock_mono_ms();
	if (pipe2(fd, O_CLOEXEC) != 0)
		log_die("cannot make a pipe: %s", strerror(errno));
	w->pid = fork_blocked(k);
	if (w->pid == 0) {
		close(fd[0]);
		worker_run(w, fd[1], parent);
	}
	close(fd[1]);
	if (w->pid < 0) {
		log_error("cannot start worker %d: %s", w->number,
			  strerror(errno));
		close(fd[0]);
		w->pid = 0;
		start_later(w);
		return;
	}
	w->fd = fd[0];
	w->told = event_new(k->srv.base, fd[0], EV_READ, on_told, w);
	if (w->told == NULL || event_add(w->told, NULL) != 0)
		log_die("cannot wait for a worker");
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	if (w->pid == 0 && !w->keeper->stopping)
		worker_start(w);
}

static int n_running(const struct keeper *k)
{
	int n = 0;

	for (int i = 0; i < k->set->workers; i++)
		n += k->worker[i].pid != 0;
	return n;
}

static void signal_all(const struct keeper *k, int sig)
{
	for (int i = 0; i < k->set->workers; i++)
		if (k->worker[i].pid != 0)
			kill(k->worker[i].pid, sig);
}

static void stop_workers(void *arg)
{
	struct keeper *k = arg;

	signal_all(k, SIGTERM);
	if (n_running(k) == 0)
		event_base_loopbreak(k->srv.base);
}

static void worker_ended(struct worker *w, int status)
{
	struct keeper *k = w->keeper;

	w->pid = 0;
	told_end(w);
	if (k->stopping) {
		if (n_running(k) == 0)
			event_base_loopbreak(k->srv.base);
		return;
	}
	if (!k->announced && !w->ready) {
		log_error("worker %d cannot serve: stopping", w->number);
		k->failed = true;
		k->stopping = true;
		stop_workers(k);
		return;
	}
	w->ready = false;
	log_error("worker %d has ended (%s %d); starting it again", w->number,
		  WIFSIGNALED(status) ? "signal" : "status",
		  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	start_later(w);
}

/* Of each child by its number: others belong to the database and the pilot. */
static void on_child(evutil_socket_t sig, short what, void *arg)
{
	struct keeper *k = arg;
	int status;

	(void)sig;
	(void)what;
	for (int i = 0; i < k->set->workers; i++) {
		struct worker *w = &k->worker[i];

		if (w->pid != 0 && waitpid(w->pid, &status, WNOHANG) == w->pid)
			worker_ended(w, status);
	}
}

/* Told a second time, workers stop at once, as a single server does. */
static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct keeper *k = arg;
	bool again = k->stopping;

	(void)what;
	log_info("signal %d: finishing what is under way", (int)sig);
	k->stopping = true;
	sdnotify_stopping();
	if (k->dev != NULL && !again)
		dev_end(k->dev, stop_workers, k);
	else
		stop_workers(k);
}

static void on_hangup(evutil_socket_t sig, short what, void *arg)
{
	struct keeper *k = arg;

	(void)what;
	sdnotify_reloading();
	signal_all(k, (int)sig);
	reload(k->arena, k->set, NULL, k->argc, k->argv);
	sdnotify_ready();
}

static bool watch_signals(struct keeper *k)
{
	static const struct {
		int sig;
		event_callback_fn fn;
	} of[N_SIGNALS] = {
		[S_TERM] = { SIGTERM, on_stop },
		[S_INT] = { SIGINT, on_stop },
		[S_HUP] = { SIGHUP, on_hangup },
		[S_CHLD] = { SIGCHLD, on_child },
	};

	for (int i = 0; i < N_SIGNALS; i++) {
		k->signals[i] =
			evsignal_new(k->srv.base, of[i].sig, of[i].fn, k);
		if (k->signals[i] == NULL ||
		    event_add(k->signals[i], NULL) != 0)
			return false;
	}
	return true;
}

/* Done here once, so that workers find it done. */
static bool prepare_once(struct keeper *k, struct err *e)
{
	struct db_sync *db;

	if (!prepare_state_dir(k->set, e) ||
	    !sockets_open(&k->sockets, k->arena, k->set, e) ||
	    !prepare_embedded(&k->srv, &serve_stop_asked, e))
		return false;
	db = prepare_database(&k->srv, &serve_stop_asked, e);
	db_sync_close(db);
	return db != NULL;
}

static bool assemble(struct keeper *k, struct err *e)
{
	if (!prepare_once(k, e))
		return false;
	k->srv.base = event_base_new();
	if (k->srv.base == NULL || !watch_signals(k))
		return err_set(e, ERR_IO, "libevent gives no loop");
	if (k->srv.embedded != NULL)
		embedded_supervise(k->srv.embedded, k->srv.base);
	k->worker = ARENA_ARRAY(k->arena, struct worker, k->set->workers);
	for (int i = 0; i < k->set->workers; i++) {
		struct worker *w = &k->worker[i];

		w->keeper = k;
		w->number = i + 1;
		w->fd = -1;
		w->again = evtimer_new(k->srv.base, on_again, w);
		if (w->again == NULL)
			return err_set(e, ERR_IO, "libevent gives no timer");
	}
	return serve_stop_asked == 0;
}

static void dismantle(struct keeper *k)
{
	dev_free(k->dev);
	embedded_stop(k->srv.embedded, false);
	sockets_close(&k->sockets);
	for (int i = 0; k->worker != NULL && i < k->set->workers; i++) {
		told_end(&k->worker[i]);
		if (k->worker[i].again != NULL)
			event_free(k->worker[i].again);
	}
	for (int i = 0; i < N_SIGNALS; i++)
		if (k->signals[i] != NULL)
			event_free(k->signals[i]);
	if (k->srv.base != NULL)
		event_base_free(k->srv.base);
}

int workers_run(struct arena *a, struct settings *set, int argc, char **argv)
{
	struct keeper k = { .srv = { .arena = a, .set = set },
			    .arena = a,
			    .set = set,
			    .argc = argc,
			    .argv = argv };
	struct err e = ERR_INIT;
	bool ok = assemble(&k, &e);

	if (ok) {
		for (int i = 0; i < set->workers; i++)
			worker_start(&k.worker[i]);
		event_base_dispatch(k.srv.base);
	} else if (serve_stop_asked == 0) {
		log_error("%s", e.text);
	}
	dismantle(&k);
	log_info("stopped");
	return (ok && !k.failed) || serve_stop_asked != 0 ? 0 : 1;
}
