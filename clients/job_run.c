/*
 * `sortie job run -- COMMAND`: as if the command ran here: its output comes
 * to our output, its exit status is ours, an interrupt cancels it.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clients/body.h"
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/follow.h"
#include "clients/jobview.h"
#include "clients/last.h"
#include "clients/list.h"
#include "clients/patch.h"
#include "clients/sendfile.h"
#include "clients/submission.h"
#include "lib/jobspec.h"

struct opts {
	struct cli_settings common;
	const char **env, **tag, **set, **send, **pool, **label, **limit;
	const char *name, *project, *jobtype, *site, *priority, *timeout;
	const char *cores, *memory, *retries, *key, *cwd;
	const char *out_file, *err_file;
	bool env_all, shell;
};

#define F(name) offsetof(struct opts, name)
#define TEXT(n, l, field, a, h)                              \
	{                                                    \
		.name = (n), .letter = (l), .kind = OPT_STR, \
		.offset = F(field), .arg = (a), .help = (h)  \
	}
#define SEVERAL(n, l, field, a, h)                             \
	{                                                      \
		.name = (n), .letter = (l), .kind = OPT_MULTI, \
		.offset = F(field), .arg = (a), .help = (h)    \
	}

static const struct opt opts[] = {
	TEXT("name", 'n', name, "TEXT",
	     "The job's name. Default: the command's."),
	SEVERAL("env", 'E', env, "NAME=VALUE",
		"Set a variable in its environment. May be given several "
		"times."),
	{ .name = "env-all",
	  .kind = OPT_FLAG,
	  .offset = F(env_all),
	  .help = "Hand over this whole environment, but for Sortie's own "
		  "variables." },
	TEXT("cwd", 'C', cwd, "DIR",
	     "Run in DIR, which must exist there. Default: the current "
	     "directory when the server is on this machine, else a new one."),
	TEXT("timeout", 't', timeout, "TIME",
	     "Time limit (\"90 s\", \"2 h\"): exit status 124 beyond it."),
	TEXT("cores", 'c', cores, "N", "Cores it needs. Default: 1."),
	TEXT("memory", 'm', memory, "SIZE", "Memory it needs (\"2 GiB\")."),
	TEXT("site", 's', site, "NAME", "Run only at this site."),
	TEXT("jobtype", 'T', jobtype, "NAME", "The job's type."),
	TEXT("project", 'p', project, "NAME", "The job's project."),
	TEXT("priority", 'P', priority, "N", "Higher goes first."),
	TEXT("retries", 'r', retries, "N",
	     "How often to try again when it fails."),
	TEXT("key", 'k', key, "KEY",
	     "Your own identifier: the same key again runs nothing anew."),
	SEVERAL("pool", 0, pool, "NAME",
		"Run only on pilots of this pool; several: of any of them."),
	SEVERAL("label", 0, label, "NAME=VALUE",
		"Run only on pilots with this label; several: with all."),
	SEVERAL("limit", 0, limit, "NAME[=N]",
		"Hold N (1) of this named limit while it runs."),
	SEVERAL("tag", 0, tag, "NAME=VALUE", "Give the job a tag."),
	SEVERAL("set", 0, set, "KEY=VALUE",
		"Set any key of the job; VALUE is JSON, or else text."),
	SEVERAL("send", 0, send, "FILE[:NAME]",
		"Put FILE (at most 1 MiB) into the working directory."),
	{ .name = "shell",
	  .kind = OPT_FLAG,
	  .offset = F(shell),
	  .help = "COMMAND is one text for /bin/sh." },
	TEXT("output", 'o', out_file, "FILE",
	     "Write its standard output to FILE."),
	TEXT("error", 'e', err_file, "FILE",
	     "Write its standard error to FILE."),
};

extern char **environ;

static bool is_ours(const char *variable)
{
	return strncmp(variable, "SORTIE_", 7) == 0 ||
	       strncmp(variable, "_=", 2) == 0;
}

static bool add_env(struct patch *p, const struct opts *o, struct err *e)
{
	for (char **v = environ; o->env_all && *v != NULL; v++)
		if (!is_ours(*v) && strchr(*v, '=') != *v &&
		    !patch_join(p, "env", *v, e))
			return false;
	for (size_t i = 0; o->env != NULL && o->env[i] != NULL; i++)
		if (!patch_join(p, "env", o->env[i], e))
			return err_prefix(e, "--env");
	return true;
}

static bool add_joins(struct patch *p, const char *option, const char *object,
		      const char *const *words, struct err *e)
{
	for (; words != NULL && *words != NULL; words++)
		if (!patch_join(p, object, *words, e))
			return err_prefix(e, "%s", option);
	return true;
}

static void add_list(struct patch *p, const char *key, const char *const *words)
{
	struct buf b = BUF_INIT;

	if (words == NULL || words[0] == NULL)
		return;
	buf_addc(&b, '[');
	for (; *words != NULL; words++) {
		buf_json_comma(&b);
		buf_json_str(&b, *words);
	}
	buf_addc(&b, ']');
	patch_set(p, key, buf_str(&b));
	buf_fini(&b);
}

static void add_limits(struct patch *p, const char *const *words)
{
	struct buf b = BUF_INIT;

	if (words == NULL || words[0] == NULL)
		return;
	buf_addc(&b, '{');
	for (; *words != NULL; words++) {
		char *name = xstrdup(*words);
		char *equals = strchr(name, '=');

		if (equals != NULL)
			*equals = '\0';
		/* What is no number is refused with the rest of the job. */
		if (equals == NULL)
			buf_json_kv_i64(&b, name, 1);
		else if (equals[1] != '\0' &&
			 equals[1 + strspn(equals + 1, "0123456789")] == '\0')
			buf_json_kv_raw(&b, name, equals + 1);
		else
			buf_json_kv_str(&b, name, equals + 1);
		free(name);
	}
	buf_addc(&b, '}');
	patch_set(p, "limits", buf_str(&b));
	buf_fini(&b);
}

static void add_text(struct patch *p, const char *key, const char *text)
{
	if (text != NULL)
		patch_set_text(p, key, text);
}

static void add_command(struct cli *c, struct patch *p, const struct opts *o)
{
	const char *const *words = (const char *const *)c->args;
	const char *slash = strrchr(words[0], '/');

	if (o->shell)
		patch_set_text(p, "shell", words[0]);
	else
		add_list(p, "argv", words);
	patch_set_text(p, "name",
		       o->name             ? o->name
		       : slash && slash[1] ? slash + 1
					   : words[0]);
}

/* Where both sides see the same directories the command runs in ours, unless
 * files are sent, which come to a directory of their own. */
static bool add_cwd(struct cli *c, struct patch *p, const struct opts *o,
		    struct err *e)
{
	char *here;

	if (o->cwd != NULL) {
		patch_set_text(p, "cwd", o->cwd);
		return true;
	}
	if (!call_open(c, e))
		return false;
	if (!call_is_local(c) || (o->send != NULL && o->send[0] != NULL))
		return true;
	here = getcwd(NULL, 0);
	if (here != NULL)
		patch_set_text(p, "cwd", here);
	free(here);
	return true;
}

static bool add_sent(struct cli *c, struct patch *p, const struct opts *o,
		     struct err *e)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; o->send != NULL && o->send[i] != NULL; i++) {
		struct sendfile f;

		if (!sendfile_read(c->arena, o->send[i], &f, e) ||
		    !sendfile_upload(c, &f, e))
			return false;
		buf_reset(&b);
		sendfile_json(&b, &f);
		patch_send(p, buf_str(&b));
	}
	buf_fini(&b);
	return true;
}

/* So that a wrong number is blamed on its option. */
static bool check_numbers(const struct opts *o, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = body_seconds(&b, "timeout", o->timeout, e) &&
		  body_number(&b, "cores", o->cores, 1, INT32_MAX, e) &&
		  body_bytes(&b, "memory", o->memory, e) &&
		  body_number(&b, "priority", o->priority, INT32_MIN, INT32_MAX,
			      e) &&
		  body_number(&b, "retries", o->retries, 0, INT32_MAX, e);

	buf_fini(&b);
	return ok;
}

/* What is wrong here is wrong use. */
static bool add_options(struct cli *c, struct patch *p, const struct opts *o,
			struct err *e)
{
	if (!check_numbers(o, e))
		return false;
	add_command(c, p, o);
	add_list(p, "pools", (const char *const *)o->pool);
	add_limits(p, (const char *const *)o->limit);
	add_text(p, "timeout", o->timeout);
	add_text(p, "cores", o->cores);
	add_text(p, "memory", o->memory);
	add_text(p, "site", o->site);
	add_text(p, "jobtype", o->jobtype);
	add_text(p, "project", o->project);
	add_text(p, "priority", o->priority);
	add_text(p, "retries", o->retries);
	add_text(p, "key", o->key);
	for (size_t i = 0; o->set != NULL && o->set[i] != NULL; i++)
		if (!patch_set_word(p, o->set[i], e))
			return false;
	return add_env(p, o, e) &&
	       add_joins(p, "--label", "labels", (const char *const *)o->label,
			 e) &&
	       add_joins(p, "--tag", "tags", (const char *const *)o->tag, e);
}

static bool write_job(struct cli *c, const struct patch *p, struct buf *body,
		      struct err *e)
{
	struct json_object *empty, *job;
	struct jobspec spec;

	if (!json_parse(c->arena, "{}", 2, &empty, e) ||
	    !patch_write(p, empty, NULL, "the job", body, e))
		return false;
	return json_parse(c->arena, body->data, body->len, &job, e) &&
	       jobspec_decode(c->arena, job, "the job", &spec, e);
}

static int open_file(const char *path, int otherwise, struct err *e)
{
	int fd = otherwise;

	if (path != NULL)
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		err_set_errno(e, ERR_IO, "cannot open \"%s\"", path);
	return fd;
}

static int end(struct cli *c, const struct follow *f)
{
	struct json_object *job = f->result;
	const char *state = job ? json_get_str(job, "state") : NULL;
	struct buf b = BUF_INIT;
	int status;

	if (state == NULL)
		return CLI_OWN;
	status = jobview_exit(job);
	if (f->interrupted != 0 && strcmp(state, "cancelled") == 0)
		return CLI_SIGNAL + f->interrupted;
	/* A payload's own exit status speaks for itself, unless the pilot
	 * knows why: its disk was full, an output is missing. */
	if (status == CLI_OWN || status == CLI_TIMELIMIT ||
	    status > CLI_SIGNAL ||
	    (status != CLI_OK && json_get_str(job, "reason") != NULL)) {
		jobview_sentence(&b, job);
		cli_note("%s", buf_str(&b));
		buf_fini(&b);
	}
	if (c->settings->json || c->settings->ndjson) {
		json_write(&b, job);
		list_raw(buf_str(&b), b.len);
		buf_fini(&b);
	}
	return status;
}

/* Nobody reads on, so the job need not go on. */
static void cancel(struct cli *c, int64_t job)
{
	char body[80];
	struct call_request r = { .method = "POST",
				  .path = "/api/v1/jobs/actions",
				  .body = body,
				  .once = true };
	struct call_answer answer;
	struct err e = ERR_INIT;

	snprintf(body, sizeof(body),
		 "{\"action\":\"cancel\",\"jobs\":\"%" PRId64 "\"}", job);
	if (!call_send(c, c->arena, &r, &answer, &e))
		cli_note("job %" PRId64 " goes on: %s", job, e.text);
}

static int run_job(struct cli *c, const struct opts *o, const struct buf *body)
{
	struct follow f = { .c = c,
			    .attempt = 1,
			    .explain = true,
			    .cancel = true,
			    .arena = c->arena };
	struct call_answer answer;
	struct err e = ERR_INIT;
	struct refs refs;

	/* With --json standard output is the job's view alone. */
	f.out_fd = c->settings->json || c->settings->ndjson ? STDERR_FILENO
							    : STDOUT_FILENO;
	f.out_fd = open_file(o->out_file, f.out_fd, &e);
	f.err_fd = open_file(o->err_file, STDERR_FILENO, &e);
	if (f.out_fd < 0 || f.err_fd < 0)
		return cli_fail(c, &e);
	if (!submission_send_body(c, body->data, body->len, &answer, &refs, &e))
		return cli_fail(c, &e);
	if (refs.n == 0) {
		err_set(&e, ERR_INTERNAL, "the server's answer names no job");
		return cli_fail(c, &e);
	}
	last_save(c, "job", &refs);
	f.job = refs.ranges[0].first;
	if (!follow_run(&f, &e)) {
		if (e.code == ERR_IO)
			cancel(c, f.job);
		return cli_fail(c, &e);
	}
	return end(c, &f);
}

static int run(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct patch *p = patch_new(c->arena);
	struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	int status;

	if (o->shell && c->n_args > 1)
		return cli_misuse(c, "with --shell COMMAND is one word: put "
				     "it in quotes");
	if (!add_options(c, p, o, &e))
		return cli_misuse(c, "%s", e.text);
	if (!add_cwd(c, p, o, &e) || !add_sent(c, p, o, &e))
		return cli_fail(c, &e);
	if (write_job(c, p, &body, &e))
		status = run_job(c, o, &body);
	else
		status = cli_misuse(c, "%s", e.text);
	buf_fini(&body);
	return status;
}

const struct cli_command command_job_run = {
	.path = "job run",
	.args = "[--] COMMAND [ARGUMENT...]",
	.brief = "run a command as a job, as if it ran here",
	.text = "Submits it, waits, writes its output to standard output and "
		"error while it runs, and exits with its exit status: 128 + "
		"the signal that ended it, 124 when its time limit did, 125 "
		"for Sortie's own failures. An interrupt (Ctrl-C) cancels it; "
		"a second one leaves at once.\n\nWhen no pilot has taken it "
		"after 3 seconds, a line on standard error tells why.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = -1,
	.stop_at_word = true,
	.own_exit = CLI_OWN,
	.run = run,
};
