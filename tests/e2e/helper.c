/*
 * What the end-to-end tests need and no shell has: a pause shorter than a
 * second, sockets handed over as systemd does, its notifications, and signals
 * that a shell has set aside.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3

static int die(const char *what)
{
	fprintf(stderr, "helper: %s: %s\n", what, strerror(errno));
	return 1;
}

static int run(char **argv)
{
	execvp(argv[0], argv);
	return die(argv[0]);
}

/* pause MS */
static int do_pause(char **argv)
{
	poll(NULL, 0, (int)strtol(argv[0], NULL, 10));
	return 0;
}

static int bind_unix(const char *path, int type)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	if (fd < 0 || strlen(path) >= sizeof(un.sun_path))
		return -1;
	memcpy(un.sun_path, path, strlen(path) + 1);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) != 0)
		return -1;
	return fd;
}

/* activate PATH COMMAND...: as a systemd socket unit starts its service. */
static int do_activate(char **argv)
{
	char pid[32];
	int fd = bind_unix(argv[0], SOCK_STREAM);

	if (fd < 0 || listen(fd, 64) != 0)
		return die(argv[0]);
	if (fd != FIRST_FD && (dup2(fd, FIRST_FD) < 0 || close(fd) != 0))
		return die("dup2");
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", pid, 1);
	return run(argv + 1);
}

/* notified PATH: prints what programs tell a service manager at PATH. */
static int do_notified(char **argv)
{
	char text[4096];
	ssize_t n;
	int fd = bind_unix(argv[0], SOCK_DGRAM);

	if (fd < 0)
		return die(argv[0]);
	while ((n = read(fd, text, sizeof(text) - 1)) >= 0) {
		text[n] = '\0';
		printf("%s\n", text);
		fflush(stdout);
	}
	return die("read");
}

/* interruptible COMMAND...: a shell ignores SIGINT for what runs behind. */
static int do_interruptible(char **argv)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	return run(argv);
}

static const struct {
	const char *name;
	int n_args;
	int (*fn)(char **argv);
} modes[] = {
	{ "pause", 1, do_pause },
	{ "activate", 2, do_activate },
	{ "notified", 1, do_notified },
	{ "interruptible", 1, do_interruptible },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (argc >= modes[i].n_args + 2 &&
		    strcmp(argv[1], modes[i].name) == 0)
			return modes[i].fn(argv + 2);
	fprintf(stderr, "usage: helper pause|activate|notified|interruptible "
			"ARGUMENT...\n");
	return 2;
}
