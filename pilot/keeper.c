/*
 * The keeper: a process that does nothing but wait for the pilot and, when it
 * is gone, kill what it inherits as subreaper until nothing is left.  It has
 * no state and allocates nothing, so there is little that could end it early.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/log.h"
#include "pilot/keeper.h"
#include "pilot/payload.h"
#include "pilot/proctree.h"

static const int forwarded[] = { SIGTERM, SIGINT,  SIGHUP,
				 SIGQUIT, SIGUSR1, SIGUSR2 };
#define N_FORWARDED (sizeof(forwarded) / sizeof(forwarded[0]))

static pid_t keeper;
static int death_fd = -1;

pid_t keeper_pid(void)
{
	return keeper;
}

int keeper_fd(void)
{
	return death_fd;
}

/* Reaps what has died. True = the pilot is among it, with its status. */
static bool reap(pid_t pilot, int *status)
{
	bool pilot_gone = false;
	pid_t pid;
	int st;

	while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
		if (pid == pilot) {
			pilot_gone = true;
			*status = st;
		}
	}
	return pilot_gone;
}

/* Killing a process hands its children to us, so it takes rounds. */
static void kill_inheritance(void)
{
	for (;;) {
		pid_t pid;

		(void)proctree_signal_children(0, SIGKILL);
		do {
			pid = waitpid(-1, NULL, 0);
		} while (pid < 0 && errno == EINTR);
		if (pid < 0)
			return;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

_Noreturn static void keep(pid_t pilot, const sigset_t *set)
{
	int status = 0;

	(void)syscall(SYS_close_range, 3U, ~0U, 0U);
	(void)prctl(PR_SET_NAME, "sortie-keeper");
	while (!reap(pilot, &status)) {
		siginfo_t info;
		int sig = sigwaitinfo(set, &info);

		/* What the terminal sends has reached the pilot as well. */
		if (sig > 0 && sig != SIGCHLD && info.si_code != SI_KERNEL)
			(void)kill(pilot, sig);
	}
	kill_inheritance();
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				  : WEXITSTATUS(status));
}

/* The keeper's death must not go unseen, nor kill the pilot before it has
 * killed its payloads: SIGTERM makes it stop, the descriptor tells why. */
static void become_pilot(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		log_die("cannot watch the keeper: %s", strerror(errno));
	death_fd = (int)syscall(SYS_pidfd_open, parent, 0);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	keeper = parent;
}

void keeper_become(void)
{
	pid_t self = getpid(), pilot;
	sigset_t set, old;

	/* Payloads of the same user must not read tokens out of our memory. */
	if (prctl(PR_SET_DUMPABLE, 0) != 0 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		log_die("cannot become a keeper: %s", strerror(errno));
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < N_FORWARDED; i++)
		sigaddset(&set, forwarded[i]);
	(void)signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, &old);
	pilot = fork();
	if (pilot < 0)
		log_die("cannot fork the pilot: %s", strerror(errno));
	if (pilot > 0)
		keep(pilot, &set);
	sigprocmask(SIG_SETMASK, &old, NULL);
	become_pilot(self);
}
