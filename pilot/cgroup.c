/*
 * Puts runs into control groups.  Three back ends (version 2, version 1,
 * none) fill the same small table of directories; what differs between them
 * is which directories a run has and which file says what.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/arena.h"
#include "lib/log.h"
#include "pilot/cgroup.h"
#include "pilot/cgroup_fs.h"
#include "pilot/keeper.h"
#include "pilot/spawn.h"

/* Where the pilot itself lives under version 2. */
#define LEAF "pilot"

enum place { MEMORY, PIDS, KILL, N_PLACES };

_Static_assert(N_PLACES <= SPAWN_JOIN_MAX, "a payload can join every place");

struct limit_file {
	enum place place;
	const char *file;
	bool required; /* else the kernel may lack it */
};

struct backend {
	const char *name;
	struct limit_file memory[3]; /* each gets the limit in bytes */
	const char *oom_file;
};

static const struct backend backend_v2 = {
	.name = "v2",
	.memory = { { MEMORY, "memory.max", true } },
	.oom_file = "memory.events",
};

static const struct backend backend_v1 = {
	.name = "v1",
	.memory = { { MEMORY, "memory.limit_in_bytes", true },
		    { MEMORY, "memory.memsw.limit_in_bytes", false } },
	.oom_file = "memory.oom_control",
};

static const struct backend backend_none = { .name = "none" };

struct cgroup {
	struct cgroups *host;
	char *dir[N_PLACES]; /* NULL = none, or the same as before */
	int fd[N_PLACES];
	size_t n_fd;
	TAILQ_ENTRY(cgroup) link; /* in busy */
};

struct cgroups {
	const struct backend *b;
	char *base[N_PLACES]; /* .../sortie-PID, NULL = none */
	char *own;            /* v2: the group we moved out of */
	TAILQ_HEAD(cgroup_list, cgroup) busy; /* ended, not yet removable */
};

static char *make_dir(const char *parent, const char *name)
{
	char *path = xasprintf("%s/%s", parent, name);

	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return path;
	free(path);
	return NULL;
}

static bool make_base(struct cgroups *c, enum place at, const char *parent)
{
	char name[32];

	cgroup_fs_remove_stale(parent);
	snprintf(name, sizeof(name), "sortie-%d", (int)getpid());
	c->base[at] = make_dir(parent, name);
	return c->base[at] != NULL;
}

static void drop_base(struct cgroups *c, enum place at)
{
	if (c->base[at])
		(void)rmdir(c->base[at]);
	free(c->base[at]);
	c->base[at] = NULL;
}

/* The next number in the text of a cgroup.procs, or -1. */
static long next_pid(char **p)
{
	char *end;
	long pid = strtol(*p, &end, 10);

	if (end == *p)
		return -1;
	*p = end;
	return pid;
}

/* True when the pilot and its keeper are alone in the group. */
static bool only_ours(const char *dir)
{
	char text[65536], *p = text;
	long pid;

	if (!cgroup_fs_read(dir, "cgroup.procs", text, sizeof(text)))
		return false;
	while ((pid = next_pid(&p)) >= 0)
		if (pid != getpid() && pid != keeper_pid())
			return false;
	return true;
}

static bool move_all(const char *from, const char *to)
{
	char text[65536], *p = text;
	long pid;

	if (!cgroup_fs_read(from, "cgroup.procs", text, sizeof(text)))
		return false;
	while ((pid = next_pid(&p)) >= 0)
		if (!cgroup_fs_write_i64(to, "cgroup.procs", pid))
			return false;
	return true;
}

/* Back to where the pilot was started. A group cannot give up what one below
 * it still hands on, nor take processes while it hands on anything itself. */
static void leave_v2(struct cgroups *c)
{
	static const char off[] = "-memory -pids";
	char *leaf = xasprintf("%s/" LEAF, c->base[MEMORY]);

	(void)cgroup_fs_write(c->base[MEMORY], "cgroup.subtree_control", off);
	(void)cgroup_fs_write(c->own, "cgroup.subtree_control", off);
	if (!move_all(leaf, c->own) || rmdir(leaf) != 0)
		log_warn("cannot leave the control group '%s': %s", leaf,
			 strerror(errno));
	free(leaf);
	free(c->own);
	c->own = NULL;
}

/* Limits need processes to live in leaves only, so the pilot and its keeper,
 * the only ones that a delegated group has, move into one. */
static bool enter_v2(struct cgroups *c, const char *own)
{
	const char *on = cgroup_fs_has(own, "cgroup.controllers", "pids")
				 ? "+memory +pids"
				 : "+memory";
	char *leaf = make_dir(c->base[MEMORY], LEAF);

	if (!leaf)
		return false;
	c->own = xstrdup(own);
	if (move_all(own, leaf) &&
	    cgroup_fs_write(own, "cgroup.subtree_control", on) &&
	    cgroup_fs_write(c->base[MEMORY], "cgroup.subtree_control", on)) {
		free(leaf);
		return true;
	}
	free(leaf);
	leave_v2(c);
	return false;
}

/* Gives why not, or NULL. */
static const char *open_v2(struct cgroups *c)
{
	char own[4096];

	if (!cgroup_fs_own(NULL, own, sizeof(own)))
		return "the pilot's own is not writable";
	if (!cgroup_fs_has(own, "cgroup.controllers", "memory"))
		return "the pilot's own has no memory controller";
	if (!cgroup_fs_delegated(own))
		return "systemd has not delegated the pilot's own: Delegate=";
	if (!only_ours(own))
		return "the pilot shares its own with other processes";
	if (!make_base(c, MEMORY, own))
		return "none can be made below the pilot's own";
	if (enter_v2(c, own))
		return NULL;
	drop_base(c, MEMORY);
	return "the pilot's own is not delegated to it";
}

static bool open_v1(struct cgroups *c)
{
	char own[4096];

	if (!cgroup_fs_own("memory", own, sizeof(own)) ||
	    !make_base(c, MEMORY, own))
		return false;
	/* Where one hierarchy has both controllers, one directory does. */
	if (cgroup_fs_own("pids", own, sizeof(own)) &&
	    strncmp(own, c->base[MEMORY], strlen(own)) != 0)
		(void)make_base(c, PIDS, own);
	if (cgroup_fs_own(NULL, own, sizeof(own)) && make_base(c, KILL, own)) {
		char path[4200];

		/* A kernel before 5.14 has no cgroup.kill. */
		snprintf(path, sizeof(path), "%s/cgroup.kill", c->base[KILL]);
		if (access(path, W_OK) != 0)
			drop_base(c, KILL);
	}
	return true;
}

struct cgroups *cgroups_open(bool try)
{
	struct cgroups *c = xcalloc(1, sizeof(*c));
	const char *why_not;

	TAILQ_INIT(&c->busy);
	c->b = &backend_none;
	if (!try)
		return c;
	why_not = open_v2(c);
	if (!why_not)
		c->b = &backend_v2;
	else if (open_v1(c))
		c->b = &backend_v1;
	if (c->b == &backend_none)
		log_info("no control groups here (%s): the memory of jobs is "
			 "limited process by process",
			 why_not);
	else
		log_info("control groups of version %s hold jobs to their "
			 "memory",
			 c->b->name + 1);
	return c;
}

const char *cgroups_kind(const struct cgroups *c)
{
	return c->b->name;
}

static bool remove_dirs(struct cgroup *g)
{
	bool gone = true;

	for (int i = 0; i < N_PLACES; i++) {
		if (!g->dir[i])
			continue;
		if (!cgroup_fs_remove(g->dir[i]) && errno == EBUSY) {
			gone = false;
			continue;
		}
		free(g->dir[i]);
		g->dir[i] = NULL;
	}
	return gone;
}

void cgroups_sweep(struct cgroups *c)
{
	struct cgroup *g = TAILQ_FIRST(&c->busy);

	while (g) {
		struct cgroup *next = TAILQ_NEXT(g, link);

		if (remove_dirs(g)) {
			TAILQ_REMOVE(&c->busy, g, link);
			free(g);
		}
		g = next;
	}
}

void cgroups_close(struct cgroups *c)
{
	struct cgroup *g;

	if (!c)
		return;
	cgroups_sweep(c);
	while ((g = TAILQ_FIRST(&c->busy))) {
		TAILQ_REMOVE(&c->busy, g, link);
		log_warn("control group '%s' is still busy and stays",
			 g->dir[MEMORY] ? g->dir[MEMORY]
			 : g->dir[PIDS] ? g->dir[PIDS]
					: g->dir[KILL]);
		for (int i = 0; i < N_PLACES; i++)
			free(g->dir[i]);
		free(g);
	}
	if (c->own)
		leave_v2(c);
	for (int i = 0; i < N_PLACES; i++)
		drop_base(c, (enum place)i);
	free(c);
}

static bool set_memory(struct cgroup *g, int64_t memory, struct err *e)
{
	const struct limit_file *f = g->host->b->memory;

	for (; f->file; f++)
		if (!cgroup_fs_write_i64(g->dir[f->place], f->file, memory) &&
		    f->required)
			return err_set_errno(e, ERR_IO,
					     "cannot limit memory in '%s'",
					     g->dir[f->place]);
	/* One process out of memory means the payload is: all of it ends,
	 * instead of whatever the kernel picks. Version 2 only. */
	(void)cgroup_fs_write(g->dir[MEMORY], "memory.oom.group", "1");
	(void)cgroup_fs_write(g->dir[MEMORY], "memory.swap.max", "0");
	return true;
}

static bool set_up(struct cgroup *g, const char *run, int64_t memory,
		   int64_t pids, struct err *e)
{
	struct cgroups *c = g->host;
	const char *pids_dir;

	for (int i = 0; i < N_PLACES; i++) {
		if (!c->base[i])
			continue;
		g->dir[i] = make_dir(c->base[i], run);
		if (!g->dir[i])
			return err_set_errno(e, ERR_IO,
					     "cannot make a control group "
					     "in '%s'",
					     c->base[i]);
		g->fd[g->n_fd] = cgroup_fs_open_procs(g->dir[i]);
		if (g->fd[g->n_fd] < 0)
			return err_set_errno(e, ERR_IO,
					     "cannot open the "
					     "control group '%s'",
					     g->dir[i]);
		g->n_fd++;
	}
	pids_dir = g->dir[PIDS] ? g->dir[PIDS] : g->dir[MEMORY];
	if (pids > 0)
		(void)cgroup_fs_write_i64(pids_dir, "pids.max", pids);
	return memory <= 0 || set_memory(g, memory, e);
}

struct cgroup *cgroup_make(struct cgroups *c, const char *run, int64_t memory,
			   int64_t pids, struct err *e)
{
	struct cgroup *g;

	e->code = ERR_NONE;
	if (c->b == &backend_none)
		return NULL;
	g = xcalloc(1, sizeof(*g));
	g->host = c;
	if (set_up(g, run, memory, pids, e))
		return g;
	cgroup_free(g);
	return NULL;
}

const int *cgroup_join_fds(const struct cgroup *g, size_t *n)
{
	*n = g->n_fd;
	return g->fd;
}

static const char *kill_dir(const struct cgroup *g)
{
	return g->dir[KILL] ? g->dir[KILL] : g->dir[MEMORY];
}

void cgroup_kill(struct cgroup *g)
{
	if (!cgroup_fs_write(kill_dir(g), "cgroup.kill", "1"))
		cgroup_fs_kill_each(g->dir[MEMORY]);
}

bool cgroup_empty(struct cgroup *g)
{
	int64_t populated =
		cgroup_fs_count(kill_dir(g), "cgroup.events", "populated");
	char text[64];

	if (populated >= 0)
		return populated == 0;
	return !cgroup_fs_read(g->dir[MEMORY], "cgroup.procs", text,
			       sizeof(text)) ||
	       !*text;
}

int64_t cgroup_oom_kills(struct cgroup *g)
{
	int64_t n = cgroup_fs_count(g->dir[MEMORY], g->host->b->oom_file,
				    "oom_kill");

	return n < 0 ? 0 : n;
}

void cgroup_free(struct cgroup *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->n_fd; i++)
		if (g->fd[i] >= 0)
			close(g->fd[i]);
	g->n_fd = 0;
	if (remove_dirs(g))
		free(g);
	else
		TAILQ_INSERT_TAIL(&g->host->busy, g, link);
}
