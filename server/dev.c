/* Runs one pilot as a child, so that one command is a whole system. */
#include "server/dev.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <event2/event.h>
#include "lib/arena.h"
#include "lib/log.h"
#include "lib/pilot_program.h"
#include "server/options.h"
#include "server/server.h"

/* What a pilot that is left over from a killed server needs to be gone. */
#define AGAIN_S 3
#define CANNOT_START 127
#define DRAIN_S 15 /* the pilot's grace for payloads, and some */

struct dev {
	pid_t pid; /* 0 = not running */
	struct event *child;
	struct event *late;
	struct event *again;
	struct server *srv;
	char *address;
	void (*ended)(void *arg); /* NULL: it should be running */
	void *arg;
};

_Noreturn static void run_pilot(const char *address, const struct settings *set)
{
	const char *program = pilot_program_find(arena_new());
	char *spool = xasprintf("%s/dev-spool", set->state_dir);
	const char *argv[] = {
		"sortie-pilot",       "--url",   address, "--join-token-file",
		set->join_token_file, "--spool", spool,   NULL
	};
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(set->umask); /* payloads' files are their owner's to share */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (program == NULL)
		program = argv[0];
	execv(program, (char *const *)(uintptr_t)argv);
	fprintf(stderr, "sortied: cannot start \"%s\": %s\n", program,
		strerror(errno));
	_exit(CANNOT_START);
}

static void tell_ended(struct dev *d)
{
	void (*ended)(void *arg) = d->ended;

	d->ended = NULL;
	ended(d->arg);
}

/* Of the exit statuses of pilots: it has left in order, its options are wrong,
 * its token is, or there is no such program. */
static bool may_do_better(int status)
{
	return status != 0 && status != 2 && status != 3 &&
	       status != CANNOT_START;
}

static void has_ended(struct dev *d, int status)
{
	static const struct timeval again = { AGAIN_S, 0 };

	if (WIFEXITED(status) && !may_do_better(WEXITSTATUS(status))) {
		log_warn("the local pilot has ended");
		return;
	}
	log_warn("the local pilot has ended: starting another in %d s",
		 AGAIN_S);
	event_add(d->again, &again);
}

static void on_child(evutil_socket_t sig, short what, void *arg)
{
	struct dev *d = arg;
	int status;

	(void)sig;
	(void)what;
	if (d->pid == 0 || waitpid(d->pid, &status, WNOHANG) != d->pid)
		return;
	d->pid = 0;
	if (d->ended != NULL)
		tell_ended(d);
	else
		has_ended(d, status);
}

static void start_pilot(struct dev *d)
{
	d->pid = fork();
	if (d->pid == 0)
		run_pilot(d->address, d->srv->set);
	if (d->pid < 0) {
		log_warn("cannot start a local pilot: %s", strerror(errno));
		d->pid = 0;
	}
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct dev *d = arg;

	(void)fd;
	(void)what;
	if (d->ended == NULL)
		start_pilot(d);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	struct dev *d = arg;

	(void)fd;
	(void)what;
	if (d->pid == 0 || d->ended == NULL)
		return;
	log_warn("the local pilot does not leave: killing it");
	kill(-d->pid, SIGKILL);
}

static void print_exports(const struct settings *set, const char *address)
{
	printf("export SORTIE_URL='%s'\n"
	       "export SORTIE_TOKEN=\"$(cat '%s')\"\n",
	       address, set->admin_token_file);
	fflush(stdout);
}

struct dev *dev_start(struct server *srv, const char *address)
{
	struct dev *d = xcalloc(1, sizeof(*d));

	print_exports(srv->set, address);
	d->child = evsignal_new(srv->base, SIGCHLD, on_child, d);
	d->late = event_new(srv->base, -1, 0, on_late, d);
	d->again = event_new(srv->base, -1, 0, on_again, d);
	d->srv = srv;
	d->address = xstrdup(address);
	if (d->child == NULL || d->late == NULL || d->again == NULL ||
	    event_add(d->child, NULL) != 0)
		log_die("cannot watch the local pilot");
	start_pilot(d);
	return d;
}

void dev_end(struct dev *d, void (*ended)(void *arg), void *arg)
{
	static const struct timeval late = { DRAIN_S, 0 };

	d->ended = ended;
	d->arg = arg;
	if (d->pid == 0) {
		tell_ended(d);
		return;
	}
	kill(d->pid, SIGTERM);
	event_add(d->late, &late);
}

void dev_free(struct dev *d)
{
	if (d == NULL)
		return;
	if (d->pid != 0) {
		kill(-d->pid, SIGKILL);
		waitpid(d->pid, NULL, 0);
	}
	event_free(d->child);
	event_free(d->late);
	event_free(d->again);
	free(d->address);
	free(d);
}
