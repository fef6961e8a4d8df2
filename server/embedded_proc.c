/* Runs PostgreSQL's programs as the user that the database belongs to. */
#include "server/embedded_int.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/log.h"

extern char **environ;

#define TAIL_MAX 700

void embedded_clear_environment(void)
{
	char name[64];
	size_t i = 0;

	while (environ != NULL && environ[i] != NULL) {
		size_t len = strcspn(environ[i], "=");

		if (strncmp(environ[i], "PG", 2) != 0 || len >= sizeof(name)) {
			i++;
			continue;
		}
		memcpy(name, environ[i], len);
		name[len] = '\0';
		unsetenv(name);
	}
}

static bool become_user(const struct embedded *em)
{
	if (!em->other_user)
		return true;
	return initgroups(em->user, em->gid) == 0 && setgid(em->gid) == 0 &&
	       setuid(em->uid) == 0;
}

/* The signals that this process handles or has blocked are not the child's
 * business. */
static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn static void fail(const char *what)
{
	dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
	_exit(127);
}

/* A statement of ours takes more than the 128 KiB that glibc keeps, so it would
 * be fetched from the system and given back each time: 8 % of the database's
 * processor time. (With the one value set, glibc finds the other no more.) */
static const char malloc_tunables[] = "glibc.malloc.trim_threshold=16777216:"
				      "glibc.malloc.mmap_threshold=4194304";

_Noreturn static void run_child(struct embedded *em,
				const struct embedded_cmd *cmd, int in)
{
	reset_signals();
	if (cmd->detached)
		setsid();
	if (dup2(in, STDIN_FILENO) < 0 ||
	    dup2(cmd->output, STDOUT_FILENO) < 0 ||
	    dup2(cmd->output, STDERR_FILENO) < 0)
		_exit(127);
	if (!become_user(em))
		fail("cannot become the database's user");
	if (chdir(em->dir) != 0)
		fail(em->dir);
	umask(077);
	embedded_clear_environment();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	setenv("LC_ALL", "C", 1);
	setenv("GLIBC_TUNABLES", malloc_tunables, 0);
	if (em->die_with_us && cmd->detached)
		prctl(PR_SET_PDEATHSIG, SIGINT);
	execv(cmd->argv[0], (char *const *)(uintptr_t)cmd->argv);
	fail(cmd->argv[0]);
}

/* A file without a name that holds the input, or /dev/null. */
static int open_input(const char *input)
{
	FILE *f;
	int fd;

	if (input == NULL)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	f = tmpfile();
	if (f == NULL)
		return -1;
	if (fputs(input, f) < 0 || fflush(f) != 0 ||
	    lseek(fileno(f), 0, SEEK_SET) != 0) {
		fclose(f);
		return -1;
	}
	fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 3);
	fclose(f);
	return fd;
}

pid_t embedded_spawn(struct embedded *em, const struct embedded_cmd *cmd,
		     struct err *e)
{
	int in = open_input(cmd->input);
	pid_t pid;

	if (in < 0) {
		err_set_errno(e, ERR_IO, "cannot open the input of \"%s\"",
			      cmd->argv[0]);
		return -1;
	}
	pid = fork();
	if (pid == 0)
		run_child(em, cmd, in);
	if (pid < 0)
		err_set_errno(e, ERR_IO, "cannot start \"%s\"", cmd->argv[0]);
	close(in);
	return pid;
}

static const char *tail_fd(struct embedded *em, int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char *text = arena_alloc(em->arena, TAIL_MAX + 1);
	ssize_t n;
	char *nl;

	n = pread(fd, text, TAIL_MAX, end > TAIL_MAX ? end - TAIL_MAX : 0);
	if (n < 0)
		n = 0;
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	text[n] = '\0';
	nl = end > TAIL_MAX ? strchr(text, '\n') : NULL;
	if (nl != NULL)
		text = nl + 1;
	for (char *p = text; *p != '\0'; p++) {
		if (*p == '\n')
			*p = ';';
	}
	return text;
}

const char *embedded_tail(struct embedded *em, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *text = "";

	if (fd >= 0) {
		text = tail_fd(em, fd);
		close(fd);
	}
	return text;
}

bool embedded_run(struct embedded *em, const char *const *argv,
		  const char *input, struct err *e)
{
	FILE *out = tmpfile();
	struct embedded_cmd cmd = { .argv = argv, .input = input };
	int status = 0;
	pid_t pid;

	if (out == NULL)
		return err_set_errno(e, ERR_IO,
				     "cannot make a file for the "
				     "output of \"%s\"",
				     argv[0]);
	cmd.output = fileno(out);
	pid = embedded_spawn(em, &cmd, e);
	if (pid < 0) {
		fclose(out);
		return false;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status != 0)
		err_set(e, ERR_IO, "\"%s\" failed: %s", argv[0],
			tail_fd(em, fileno(out)));
	fclose(out);
	return status == 0;
}

bool embedded_as_user(struct embedded *em,
		      bool (*fn)(struct embedded *em, struct err *e),
		      struct err *e)
{
	int fd[2];
	int status = 0;
	ssize_t n = 0;
	pid_t pid;

	if (!em->other_user)
		return fn(em, e);
	if (pipe2(fd, O_CLOEXEC) != 0)
		return err_set_errno(e, ERR_IO, "cannot make a pipe");
	pid = fork();
	if (pid == 0) {
		bool ok = become_user(em) && fn(em, e);

		if (!ok && write(fd[1], e, sizeof(*e)) < 0)
			_exit(2);
		_exit(ok ? 0 : 1);
	}
	close(fd[1]);
	if (pid > 0) {
		n = read(fd[0], e, sizeof(*e));
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(fd[0]);
	if (pid > 0 && status == 0)
		return true;
	if (n != (ssize_t)sizeof(*e))
		err_set(e, ERR_IO, "cannot become the user \"%s\"", em->user);
	return false;
}
