/*
 * Makes a run ready to start: its directory, the files sent along, its
 * description, environment and command; then starts it.  Everything that can
 * go wrong here is the job's "nonstarter" and ends in one sentence.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/clock.h"
#include "lib/log.h"
#include "pilot/command.h"
#include "pilot/payload_impl.h"
#include "pilot/sandbox.h"
#include "pilot/sendfile.h"
#include "pilot/userpath.h"

/* A payload with a control group may have as many processes and threads:
 * enough for any program, too few for a fork bomb to fill the machine's. */
#define PIDS_MAX 4096

static const char *text_or_null(struct json_object *def, const char *key)
{
	const char *s = json_get_str(def, key);

	return s && *s ? s : NULL;
}

static bool read_mode(const char *s, long max, int *out)
{
	char *end;
	long v;

	v = strtol(s, &end, 8);
	if (!*s || *end || v < 0 || v > max)
		return false;
	*out = (int)v;
	return true;
}

static bool read_umask(struct json_object *def, int *mask, struct err *e)
{
	const char *s = text_or_null(def, "umask");

	*mask = -1;
	if (!s || read_mode(s, 0777, mask))
		return true;
	return err_set(e, ERR_UNPROCESSABLE, "'%s' is not a umask", s);
}

static bool put_files(struct payload *p, const char *cwd,
		      const char *const *files, struct err *e)
{
	struct json_object *send = json_get(p->grant.definition, "send");
	size_t n = send && json_type(send) == JSON_ARRAY ? json_len(send) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_at(send, i);
		const char *name = json_get_str(o, "name");
		const char *mode = json_get_str(o, "mode");
		int bits = 0644;

		if (!name || !files || !files[i])
			return err_set(e, ERR_UNPROCESSABLE,
				       "file %zu of send is not here", i);
		if (mode && !read_mode(mode, 07777, &bits))
			return err_set(e, ERR_UNPROCESSABLE,
				       "'%s' is not a mode for '%s'", mode,
				       name);
		if (!sendfile_put(cwd, name, (mode_t)bits, files[i], p->user,
				  e))
			return false;
	}
	return true;
}

static bool is_definition_key(struct json_object *def, const char *key)
{
	return json_get(def, key) != NULL;
}

/* What the payload reads behind SORTIE_JOB_FILE: its definition, and which
 * run of which job it is. */
static bool write_job_file(struct payload *p, struct err *e)
{
	const struct payload_grant *g = &p->grant;
	struct json_object *def = g->definition;
	struct buf b = BUF_INIT;
	bool ok;

	json_write(&b, def);
	b.len--; /* the closing brace */
	buf_json_kv_str(&b, "id", g->id);
	buf_json_kv_i64(&b, "number", g->job);
	buf_json_kv_str(&b, "run", g->run);
	buf_json_kv_i64(&b, "attempt", g->attempt);
	if (g->index >= 0)
		buf_json_kv_i64(&b, "index", g->index);
	if (g->workflow)
		buf_json_kv_str(&b, "workflow", g->workflow);
	buf_json_kv_str(&b, "owner", g->owner);
	if (!is_definition_key(def, "name"))
		buf_json_kv_str(&b, "name", g->name);
	if (!is_definition_key(def, "project"))
		buf_json_kv_str(&b, "project", g->project);
	buf_adds(&b, "}\n");
	ok = workdir_write_job(p->dir, b.data, b.len, e);
	buf_fini(&b);
	return ok;
}

static void watch_output(struct payload *p)
{
	const struct payload_settings *s = &p->host->s;

	capture_init(&p->out[PAYLOAD_STDOUT], p->dir->fd[WORKDIR_STDOUT],
		     s->head_max, s->tail_max);
	capture_init(&p->out[PAYLOAD_STDERR], p->dir->fd[WORKDIR_STDERR],
		     s->head_max, s->tail_max);
}

static bool cannot_run(struct payload *p, const char *path, const char *cwd,
		       int number, struct err *e)
{
	struct stat st;
	int at = userpath_open(AT_FDCWD, cwd, O_PATH | O_DIRECTORY);
	bool there = userpath_stat(at < 0 ? AT_FDCWD : at, path, &st) == 0;

	if (at >= 0)
		close(at);
	if (number == ENOENT && there)
		return err_set(e, ERR_NOT_FOUND,
			       "cannot run '%s' on %s: the "
			       "file is there, the interpreter that it names "
			       "is not",
			       path, p->host->name);
	return err_set(e, ERR_NOT_FOUND, "cannot run '%s' on %s: %s", path,
		       p->host->name, strerror(number));
}

static bool spawn_failed(struct payload *p, const struct spawn_order *o,
			 const struct spawn_error *se, struct err *e)
{
	switch (se->stage) {
	case SPAWN_CWD:
		return err_set(e, ERR_NOT_FOUND, "cannot enter '%s' on %s: %s",
			       o->cwd, p->host->name, strerror(se->number));
	case SPAWN_EXEC:
		return cannot_run(p, o->path, o->cwd, se->number, e);
	case SPAWN_CGROUP:
		return err_set(e, ERR_IO,
			       "cannot enter the control group on "
			       "%s: %s",
			       p->host->name, strerror(se->number));
	case SPAWN_USER:
		return err_set(e, ERR_FORBIDDEN,
			       "cannot become the user '%s' on %s: %s",
			       o->user->name, p->host->name,
			       strerror(se->number));
	case SPAWN_CLONE:
	case SPAWN_SETUP:
		break;
	}
	return err_set(e, ERR_IO, "cannot start a process on %s: %s",
		       p->host->name, strerror(se->number));
}

/* The payload writes through descriptors of its own: whatever it does to them
 * ends with it. */
static bool start(struct payload *p, struct spawn_order *o, struct err *e)
{
	struct spawn_error se = { SPAWN_SETUP, 0 };

	o->out_fd = workdir_open_output(p->dir, WORKDIR_STDOUT);
	o->err_fd = workdir_open_output(p->dir, WORKDIR_STDERR);
	p->started_ms = clock_mono_ms();
	if (o->out_fd >= 0 && o->err_fd >= 0)
		p->pid = spawn(p->host->spawner, o, &se);
	else
		se.number = errno;
	if (o->out_fd >= 0)
		close(o->out_fd);
	if (o->err_fd >= 0)
		close(o->err_fd);
	if (p->pid > 0)
		return true;
	p->pid = 0;
	return spawn_failed(p, o, &se, e);
}

/* Without a control group the limit is each process's data (RLIMIT_DATA):
 * less than was asked to be kept, but a program that goes astray is stopped.
 * RLIMIT_AS would stop programs that only reserve. */
static void limit_memory(struct payload *p, struct spawn_order *o)
{
	struct err e = ERR_INIT;

	if (p->grant.memory <= 0)
		return;
	p->cgroup = cgroup_make(p->host->cgroups, p->grant.run, p->grant.memory,
				PIDS_MAX, &e);
	if (p->cgroup) {
		o->join_fds = cgroup_join_fds(p->cgroup, &o->n_join);
		return;
	}
	if (e.code != ERR_NONE)
		log_warn("run %s: %s", p->grant.run, e.text);
	o->data_limit = p->grant.memory;
}

static bool find_program(struct payload *p, struct command *c,
			 const struct payload_env *env, const char *cwd,
			 const char **path, struct err *e)
{
	const char *mode = payload_env_get(env, "P3S_MODE");
	const char *copy;

	*path = "/bin/sh";
	if (c->program && (!c->shell || (mode && !strcmp(mode, "COPY")))) {
		runas_enter(p->user);
		*path = command_find(p->a, c->program,
				     payload_env_get(env, "PATH"), cwd);
		runas_leave(p->user);
		if (!*path)
			return cannot_run(p, c->program, cwd, errno, e);
	}
	if (!c->program || !mode || strcmp(mode, "COPY") != 0)
		return true;
	if (!workdir_copy_program(p->dir, p->a, cwd, *path, p->user, &copy, e))
		return err_prefix(e, "cannot run '%s' on %s", c->program,
				  p->host->name);
	command_replace(p->a, c, copy);
	*path = c->shell ? "/bin/sh" : copy;
	return true;
}

static bool check_cwd(struct payload *p, const char *cwd, struct err *e)
{
	struct stat st;
	int failed;

	runas_enter(p->user);
	failed = userpath_stat(AT_FDCWD, cwd, &st);
	runas_leave(p->user);
	if (failed)
		return err_set(e, ERR_NOT_FOUND, "cannot enter '%s' on %s: %s",
			       cwd, p->host->name, strerror(errno));
	return true;
}

/* Puts its own reason: not a nonstarter, the job's inputs are not there. */
static bool find_inputs(struct payload *p, struct err *e)
{
	bool found;

	runas_enter(p->user);
	found = runfiles_find_inputs(&p->files, p->cwd, &p->end.own_fault, e);
	runas_leave(p->user);
	if (found)
		return true;
	p->end.reason = arena_strdup(p->a, e->text);
	return false;
}

/* Who it runs as, and a place of that user's. */
static bool choose_user(struct payload *p, struct err *e)
{
	const struct runas *r = p->host->s.run_as;

	if (!r)
		return true;
	p->user = runas_find(r, p->a, p->grant.owner, e);
	return p->user && workdir_own(p->dir, p->user, e);
}

/* In the sandbox, when the pilot has one; bubblewrap may be a set-user-id
 * program itself, and takes the same away behind it. */
static void wrap(struct payload *p, struct spawn_order *o)
{
	const struct sandbox *s = p->host->s.sandbox;
	struct sandbox_run run = { .cwd = o->cwd,
				   .work = p->dir->work,
				   .job_file = p->dir->job_file,
				   .program = o->path,
				   .argv = o->argv };

	if (!s) {
		o->no_new_privs = p->host->s.no_new_privs;
		return;
	}
	o->argv = sandbox_argv(p->a, s, &run);
	o->path = s->program;
}

bool payload_launch(struct payload *p, const char *const *files, struct err *e)
{
	struct json_object *def = p->grant.definition;
	const char *cwd = text_or_null(def, "cwd");
	struct spawn_order o = { .cwd = cwd };
	struct payload_env env;
	struct command command;
	bool through_shell;

	p->dir = workdir_take(p->host->dirs, e);
	if (!p->dir || !choose_user(p, e))
		return err_prefix(e, "on %s", p->host->name);
	o.user = p->user;
	if (cwd && !check_cwd(p, cwd, e))
		return false;
	if (!cwd)
		o.cwd = p->dir->work;
	p->cwd = o.cwd;
	watch_output(p);
	if (!write_job_file(p, e) || !put_files(p, o.cwd, files, e))
		return err_prefix(e, "on %s", p->host->name);
	if (!runfiles_read(p->a, def, &p->files, e) || !find_inputs(p, e) ||
	    !payload_env_make(&env, p->a, &p->host->env, &p->host->s, &p->grant,
			      p->user, &p->files, p->dir->job_file, e))
		return false;
	through_shell = payload_env_get(&env, "P3S_EXECMODE") != NULL;
	if (!command_read(p->a, def, through_shell, &command, e) ||
	    !find_program(p, &command, &env, o.cwd, &o.path, e) ||
	    !read_umask(def, &o.mask, e))
		return false;
	o.argv = command_argv(p->a, &command);
	o.env = env.v;
	wrap(p, &o);
	limit_memory(p, &o);
	return start(p, &o, e);
}
