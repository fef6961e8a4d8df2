/* `sortie job cancel|hold|release|retry|delete|adjust`: changes to jobs that
 * are there. */
#include <inttypes.h>
#include <stdio.h>
#include "clients/act.h"
#include "clients/body.h"
#include "clients/choice.h"
#include "clients/commands.h"

struct retry_opts {
	struct cli_settings common;
	bool force;
};

struct delete_opts {
	struct cli_settings common;
	bool cancel;
};

struct adjust_opts {
	struct cli_settings common;
	const char *priority, *timeout, *retries;
	const char *state, *name, *comment, *description;
};

static const struct opt retry_opts[] = {
	{ .name = "force",
	  .letter = 'f',
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct retry_opts, force),
	  .help = "Run jobs again that have finished well, too." },
};

static const struct opt delete_opts[] = {
	{ .name = "cancel",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct delete_opts, cancel),
	  .help = "Cancel live jobs first; they go when they have ended." },
};

#define A(name) offsetof(struct adjust_opts, name)

static const struct opt adjust_opts[] = {
	{ .name = "priority",
	  .letter = 'P',
	  .kind = OPT_STR,
	  .offset = A(priority),
	  .arg = "N",
	  .help = "The new priority; higher goes first." },
	{ .name = "timeout",
	  .kind = OPT_STR,
	  .offset = A(timeout),
	  .arg = "TIME",
	  .help = "The new time limit (\"90 s\", \"2 h\")." },
	{ .name = "retries",
	  .kind = OPT_STR,
	  .offset = A(retries),
	  .arg = "N",
	  .help = "How often a failed payload is tried again." },
	{ .name = "state",
	  .letter = 's',
	  .kind = OPT_STR,
	  .offset = A(state),
	  .arg = "STATE",
	  .help = "`held` or `defined`; other changes of state by hand are "
		  "refused." },
	{ .name = "name",
	  .kind = OPT_STR,
	  .offset = A(name),
	  .arg = "TEXT",
	  .help = "The new name." },
	{ .name = "comment",
	  .kind = OPT_STR,
	  .offset = A(comment),
	  .arg = "TEXT",
	  .help = "The new comment." },
	{ .name = "description",
	  .kind = OPT_STR,
	  .offset = A(description),
	  .arg = "TEXT",
	  .help = "The new description." },
};

static const struct cli_choice adjust_choices[] = {
	{ "state", "held defined" },
	{ NULL, NULL },
};

static int act(struct cli *c, const char *action, const char *verb,
	       const char *extra)
{
	struct err e = ERR_INIT;
	struct refs refs;

	if (!refs_resolve(c, c->args, c->n_args, &refs, &e))
		return refs_fail(c, &e);
	return act_jobs(c, action, verb, &refs, extra);
}

static int run_cancel(struct cli *c)
{
	return act(c, "cancel", "cancelled", NULL);
}

static int run_hold(struct cli *c)
{
	return act(c, "hold", "held", NULL);
}

static int run_release(struct cli *c)
{
	return act(c, "release", "released", NULL);
}

static int run_retry(struct cli *c)
{
	return act(c, "retry", "queued again",
		   CLI_OPTS(c, struct retry_opts)->force ? "\"force\":true"
							 : NULL);
}

static int run_delete(struct cli *c)
{
	return act(c, "delete", "deleted",
		   CLI_OPTS(c, struct delete_opts)->cancel ? "\"cancel\":true"
							   : NULL);
}

static int run_adjust(struct cli *c)
{
	const struct adjust_opts *o = CLI_OPTS(c, struct adjust_opts);
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t empty;
	int status;

	buf_adds(&b, "\"set\":{");
	empty = b.len;
	if (!body_number(&b, "priority", o->priority, INT32_MIN, INT32_MAX,
			 &e) ||
	    !body_number(&b, "retries", o->retries, 0, INT32_MAX, &e) ||
	    !body_seconds(&b, "timeout", o->timeout, &e)) {
		buf_fini(&b);
		return cli_misuse(c, "%s", e.text);
	}
	body_text(&b, "state", o->state);
	body_text(&b, "name", o->name);
	body_text(&b, "comment", o->comment);
	body_text(&b, "description", o->description);
	if (b.len == empty) {
		buf_fini(&b);
		return cli_misuse(c, "say what to adjust: --priority, "
				     "--timeout, --retries, --state, --name, "
				     "--comment or --description");
	}
	buf_addc(&b, '}');
	status = act(c, "adjust", "adjusted", buf_str(&b));
	buf_fini(&b);
	return status;
}

const struct cli_command command_job_cancel = {
	.path = "job cancel",
	.args = "JOB...",
	.brief = "cancel jobs that have not ended",
	.text = "A queued job ends at once. A running one gets SIGTERM, after "
		"its pilot's grace SIGKILL, and ends then.",
	.min_args = 1,
	.max_args = -1,
	.run = run_cancel,
};

const struct cli_command command_job_hold = {
	.path = "job hold",
	.args = "JOB...",
	.brief = "keep queued jobs from being started",
	.text = "Works on waiting and defined jobs.",
	.min_args = 1,
	.max_args = -1,
	.run = run_hold,
};

const struct cli_command command_job_release = {
	.path = "job release",
	.args = "JOB...",
	.brief = "let held jobs be started",
	.min_args = 1,
	.max_args = -1,
	.run = run_release,
};

const struct cli_command command_job_retry = {
	.path = "job retry",
	.args = "JOB...",
	.brief = "queue jobs again that ended badly",
	.opts = retry_opts,
	.n_opts = CLI_N(retry_opts),
	.opts_size = sizeof(struct retry_opts),
	.min_args = 1,
	.max_args = -1,
	.run = run_retry,
};

const struct cli_command command_job_delete = {
	.path = "job delete",
	.args = "JOB...",
	.brief = "forget jobs with their runs and output",
	.text = "Live jobs are refused unless --cancel is given.",
	.opts = delete_opts,
	.n_opts = CLI_N(delete_opts),
	.opts_size = sizeof(struct delete_opts),
	.min_args = 1,
	.max_args = -1,
	.run = run_delete,
};

const struct cli_command command_job_adjust = {
	.path = "job adjust",
	.args = "JOB...",
	.brief = "change priority, time limit or names of jobs",
	.opts = adjust_opts,
	.n_opts = CLI_N(adjust_opts),
	.opts_size = sizeof(struct adjust_opts),
	.choices = adjust_choices,
	.min_args = 1,
	.max_args = -1,
	.run = run_adjust,
};
