/*
 * Starts one program as cheaply as the kernel can and without a trace of the
 * pilot in it.  Everything between clone and execve runs in the child on the
 * pilot's memory: only system calls, no allocation, no library state.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/arena.h"
#include "lib/log.h"
#include "pilot/runas.h"
#include "pilot/spawn.h"

/* What the child uses of it is a few hundred bytes; sanitizers want more. */
#define STACK_LEN ((size_t)256 * 1024)
#define SIGNALS 64

/* How far the child has come. In memory that stays shared even where a tool
 * like valgrind turns the borrowed memory into a copy. */
struct progress {
	volatile enum spawn_stage stage;
	volatile int number; /* errno, 0 = it runs */
};

struct spawner {
	char *stack;
	struct progress *progress;
	int null_fd;
	int changed[SIGNALS]; /* signals not at their default */
	size_t n_changed;
};

/* What the kernel keeps of a signal; all zero is SIG_DFL on any machine. */
struct kernel_action {
	unsigned long word[16];
};

static const struct kernel_action kernel_default;

struct child {
	const struct spawner *spawner;
	const struct spawn_order *order;
	char *const *shell_argv; /* for files that execve refuses */
	pid_t parent;
	struct progress *progress;
};

/* Only these cost the child a call each: resetting all was 33 calls, 5 us of
 * each start. libc keeps two signals for itself and refuses to touch them, but
 * a parent may have left them ignored. */
static void note_signals(struct spawner *s)
{
	for (int sig = 1; sig <= SIGNALS; sig++) {
		struct kernel_action old = { { 0 } };

		if (syscall(SYS_rt_sigaction, sig, NULL, &old, 8) == 0 &&
		    memcmp(&old, &kernel_default, sizeof(old)) != 0)
			s->changed[s->n_changed++] = sig;
	}
}

struct spawner *spawner_new(void)
{
	struct spawner *s = xcalloc(1, sizeof(*s));
	int fd;

	s->stack = mmap(NULL, STACK_LEN, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (s->stack == MAP_FAILED)
		log_die("cannot map a stack for payloads: %s", strerror(errno));
	s->progress = mmap(NULL, sizeof(*s->progress), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->progress == MAP_FAILED)
		log_die("cannot map memory for payloads: %s", strerror(errno));
	/* Descriptors 0 to 2 must be taken: the child's files lie above. */
	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			log_die("cannot open '/dev/null': %s", strerror(errno));
	} while (fd <= STDERR_FILENO);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		log_die("cannot set up '/dev/null': %s", strerror(errno));
	s->null_fd = fd;
	note_signals(s);
	return s;
}

void spawner_free(struct spawner *s)
{
	if (!s)
		return;
	munmap(s->stack, STACK_LEN);
	munmap(s->progress, sizeof(*s->progress));
	close(s->null_fd);
	free(s);
}

static void default_signals(const struct spawner *s)
{
	sigset_t none;

	for (size_t i = 0; i < s->n_changed; i++)
		(void)syscall(SYS_rt_sigaction, s->changed[i], &kernel_default,
			      NULL, 8);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_others(void)
{
	struct rlimit lim;
	int max = 65536;

	if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur < 65536)
		max = (int)lim.rlim_cur;
	for (int fd = 3; fd < max; fd++)
		(void)close(fd);
}

/* Soft limits only: a payload that knows better may raise them. */
static bool set_limit(int what, rlim_t value)
{
	struct rlimit lim;

	if (getrlimit(what, &lim) != 0)
		return false;
	if (lim.rlim_max != RLIM_INFINITY && value > lim.rlim_max)
		value = lim.rlim_max;
	lim.rlim_cur = value;
	return setrlimit(what, &lim) == 0;
}

static bool join_cgroups(const struct spawn_order *o)
{
	for (size_t i = 0; i < o->n_join; i++)
		if (write(o->join_fds[i], "0", 1) != 1)
			return false;
	return true;
}

/* The signal is cleared by fork and by a change of users, so it has to be
 * asked for after either, and a parent that died in between is only seen by
 * looking again. */
static bool die_with_parent(const struct child *c)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == c->parent;
}

/* Last before the user's own folder and program: a process of that user could
 * stop the child from here on, and the pilot waits for it. */
static bool become_user(const struct child *c)
{
	const struct runas_user *u = c->order->user;

	return !u || (runas_become(u) && die_with_parent(c));
}

static bool set_up(const struct child *c)
{
	const struct spawn_order *o = c->order;

	if (setsid() < 0)
		return false;
	if (!die_with_parent(c))
		return false;
	if (dup2(c->spawner->null_fd, STDIN_FILENO) < 0 ||
	    dup2(o->out_fd, STDOUT_FILENO) < 0 ||
	    dup2(o->err_fd, STDERR_FILENO) < 0)
		return false;
	if (!set_limit(RLIMIT_CORE, 0))
		return false;
	if (o->data_limit > 0 && !set_limit(RLIMIT_DATA, (rlim_t)o->data_limit))
		return false;
	if (o->mask >= 0)
		(void)umask((mode_t)o->mask);
	if (o->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
	return true;
}

/* Always returns: the program could not be run. */
static void become(struct child *c)
{
	const struct spawn_order *o = c->order;

	c->progress->stage = SPAWN_SETUP;
	if (!set_up(c))
		return;
	c->progress->stage = SPAWN_CGROUP;
	if (!join_cgroups(o))
		return;
	c->progress->stage = SPAWN_USER;
	if (!become_user(c))
		return;
	c->progress->stage = SPAWN_CWD;
	if (chdir(o->cwd) != 0)
		return;
	c->progress->stage = SPAWN_EXEC;
	close_others();
	default_signals(c->spawner);
	execve(o->path, o->argv, o->env);
	if (errno == ENOEXEC)
		execve("/bin/sh", c->shell_argv, o->env);
}

__attribute__((no_sanitize("address", "undefined"))) static int child_main(
	void *arg)
{
	struct child *c = arg;

	become(c);
	c->progress->number = errno ? errno : ECANCELED;
	_exit(127);
}

static char **shell_argv(const struct spawn_order *o)
{
	size_t n = 0;
	char **v;

	while (o->argv[n])
		n++;
	v = xmalloc((n + 2) * sizeof(*v));
	v[0] = (char *)"sh";
	v[1] = (char *)o->path;
	for (size_t i = 1; i <= n; i++)
		v[i + 1] = o->argv[i];
	return v;
}

pid_t spawn(struct spawner *s, const struct spawn_order *o,
	    struct spawn_error *e)
{
	struct child c = { .spawner = s, .order = o, .progress = s->progress };
	char **argv = shell_argv(o);
	sigset_t all, old;
	pid_t pid;

	c.shell_argv = argv;
	c.parent = getpid();
	s->progress->stage = SPAWN_CLONE;
	s->progress->number = 0;
	/* No handler of ours may run in the child: it shares our memory. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = clone(child_main, s->stack + STACK_LEN,
		    CLONE_VM | CLONE_VFORK | SIGCHLD, &c);
	e->number = errno;
	if (pid > 0 && s->progress->number) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		e->number = s->progress->number;
		pid = -1;
	}
	e->stage = s->progress->stage;
	sigprocmask(SIG_SETMASK, &old, NULL);
	free(argv);
	return pid > 0 ? pid : -1;
}
