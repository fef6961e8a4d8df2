/*
 * Walks /proc to find the processes of a run.  It is the answer where there
 * is no control group to ask; it costs a few microseconds a process and is
 * taken only when something is left to be killed.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/buf.h"
#include "pilot/proctree.h"

/* The start of an environment that is searched; more is not a payload's. */
#define ENVIRON_MAX ((size_t)4 << 20)
#define WORD "SORTIE_RUN="

struct ids {
	char state;
	pid_t parent, group, session;
};

static bool read_stat(pid_t pid, struct ids *out)
{
	char path[64], text[512];
	const char *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* The name in parentheses may hold anything, ')' too. */
	p = strrchr(text, ')');
	return p && sscanf(p + 1, " %c %d %d %d", &out->state, &out->parent,
			   &out->group, &out->session) == 4;
}

static bool names_run(const struct buf *env, const char *run)
{
	const char *p = env->data, *end = env->data + env->len;

	while (p < end) {
		if (strncmp(p, WORD, sizeof(WORD) - 1) == 0)
			return strcmp(p + sizeof(WORD) - 1, run) == 0;
		p += strlen(p) + 1;
	}
	return false;
}

static bool has_run(pid_t pid, const char *run, struct buf *scratch)
{
	char path[64], piece[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	buf_reset(scratch);
	while (scratch->len < ENVIRON_MAX &&
	       (n = read(fd, piece, sizeof(piece))) > 0)
		buf_add(scratch, piece, (size_t)n);
	close(fd);
	return scratch->len > 0 && names_run(scratch, run);
}

/* Calls fn for each process that /proc shows, but the caller. */
static int each_process(bool (*fn)(pid_t pid, void *arg), void *arg)
{
	DIR *d = opendir("/proc");
	pid_t self = getpid();
	int n = 0;
	struct dirent *de;

	if (!d)
		return 0;
	while ((de = readdir(d))) {
		long pid;

		if (!isdigit((unsigned char)de->d_name[0]))
			continue;
		pid = strtol(de->d_name, NULL, 10);
		if (pid > 1 && pid != self && fn((pid_t)pid, arg))
			n++;
	}
	closedir(d);
	return n;
}

struct search {
	const char *run;
	pid_t session, except;
	bool others_only;
	int sig;
	struct buf scratch;
};

static bool signal_of_run(pid_t pid, void *arg)
{
	struct search *s = arg;
	struct ids ids;

	/* A zombie is dead already and waits for its parent only. */
	if (!read_stat(pid, &ids) || ids.state == 'Z' || ids.state == 'X')
		return false;
	if (s->session && s->others_only && ids.group == s->session)
		return false;
	if (!(s->session && ids.session == s->session) &&
	    !has_run(pid, s->run, &s->scratch))
		return false;
	return kill(pid, s->sig) == 0;
}

int proctree_signal(const char *run, pid_t session, bool others_only, int sig)
{
	struct search s = { .run = run,
			    .session = session,
			    .others_only = others_only,
			    .sig = sig };
	int n = each_process(signal_of_run, &s);

	buf_fini(&s.scratch);
	return n;
}

int proctree_open_children(pid_t parent)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent,
		 (int)parent);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int proctree_signal_orphans(int children_fd, pid_t except, const char *run,
			    int sig, bool *alone)
{
	char text[4096], *p = text;
	struct buf scratch = BUF_INIT;
	ssize_t len;
	int n = 0;

	*alone = false;
	if (children_fd < 0)
		return 0;
	do {
		len = pread(children_fd, text, sizeof(text) - 1, 0);
	} while (len < 0 && errno == EINTR);
	if (len <= 0)
		return 0;
	text[len] = '\0';
	*alone = true;
	for (;;) {
		char *end;
		long pid = strtol(p, &end, 10);

		if (end == p)
			break;
		p = end;
		if (pid == except)
			continue;
		*alone = false;
		if (pid > 1 && has_run((pid_t)pid, run, &scratch) &&
		    kill((pid_t)pid, sig) == 0)
			n++;
	}
	buf_fini(&scratch);
	return n;
}

static bool signal_child(pid_t pid, void *arg)
{
	struct search *s = arg;
	struct ids ids;

	return pid != s->except && read_stat(pid, &ids) &&
	       ids.parent == getpid() && kill(pid, s->sig) == 0;
}

int proctree_signal_children(pid_t except, int sig)
{
	struct search s = { .except = except, .sig = sig };

	return each_process(signal_child, &s);
}
