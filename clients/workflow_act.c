/* `sortie workflow start|cancel|retry|close|adjust|delete`: changes to
 * workflows that are there. */
#include <inttypes.h>
#include "clients/body.h"
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/each.h"
#include "clients/human.h"
#include "clients/list.h"
#include "clients/query.h"
#include "clients/workflow.h"

struct delete_opts {
	struct cli_settings common;
	bool cancel;
};

struct adjust_opts {
	struct cli_settings common;
	const char *name, *description, *priority, *max_running, *on_failure;
};

static const struct opt delete_opts[] = {
	{ .name = "cancel",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct delete_opts, cancel),
	  .help = "Cancel what has not ended first; it goes when its last job "
		  "has ended." },
};

#define A(name) offsetof(struct adjust_opts, name)

static const struct opt adjust_opts[] = {
	{ .name = "name",
	  .kind = OPT_STR,
	  .offset = A(name),
	  .arg = "TEXT",
	  .help = "The new name." },
	{ .name = "description",
	  .kind = OPT_STR,
	  .offset = A(description),
	  .arg = "TEXT",
	  .help = "The new description." },
	{ .name = "priority",
	  .letter = 'P',
	  .kind = OPT_STR,
	  .offset = A(priority),
	  .arg = "N",
	  .help = "The new priority of all its jobs that no pilot has yet." },
	{ .name = "max-running",
	  .kind = OPT_STR,
	  .offset = A(max_running),
	  .arg = "N",
	  .help = "At most N of its jobs queued or running at once; `none` "
		  "lifts the limit." },
	{ .name = "on-failure",
	  .kind = OPT_STR,
	  .offset = A(on_failure),
	  .arg = "WHAT",
	  .help = "`continue` with what can still run, or `cancel` the rest, "
		  "when a job ends badly." },
};

static const struct cli_choice adjust_choices[] = {
	{ "on-failure", CHOICE_ON_FAILURE },
	{ NULL, NULL },
};

void workflow_path(struct buf *path, const char *word, const char *suffix)
{
	query_path(path, "/api/v1/workflows/", word);
	buf_adds(path, suffix);
}

bool workflow_get(struct cli *c, const char *word, const char *suffix,
		  struct call_answer *answer, int *status)
{
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	bool ok;

	workflow_path(&path, word, suffix);
	ok = call_get(c, c->arena, buf_str(&path), answer, &e);
	buf_fini(&path);
	if (!ok) {
		*status = cli_fail(c, &e);
	} else if (c->settings->json || c->settings->ndjson) {
		list_raw(answer->text, answer->len);
		*status = CLI_OK;
		ok = false;
	}
	return ok;
}

/* What is done to each of the workflows. */
struct change {
	const char *method, *suffix, *body, *said;
};

static void tell(struct cli *c, const char *word, const struct change *how,
		 const struct call_answer *answer)
{
	struct buf b = BUF_INIT;

	if ((c->settings->json || c->settings->ndjson) && answer->len > 0) {
		list_raw(answer->text, answer->len);
		return;
	}
	if (answer->status == 202)
		buf_adds(&b, "goes when it has ended");
	else
		buf_adds(&b, how->said);
	if (json_get_int(answer->doc, "changed") > 0) {
		buf_adds(&b, ": ");
		human_plural(&b, json_get_int(answer->doc, "changed"), "job");
	}
	cli_say(c, "workflow %s %s", word, buf_str(&b));
	buf_fini(&b);
}

static bool change(struct cli *c, const char *word, void *arg, struct err *e)
{
	const struct change *how = arg;
	struct call_request r = { .method = how->method, .body = how->body };
	struct call_answer answer;
	struct buf path = BUF_INIT;
	bool ok;

	workflow_path(&path, word, how->suffix);
	r.path = buf_str(&path);
	ok = call_send(c, c->arena, &r, &answer, e);
	buf_fini(&path);
	if (ok)
		tell(c, word, how, &answer);
	return ok;
}

static int change_each(struct cli *c, const char *method, const char *suffix,
		       const char *body, const char *said)
{
	struct change how = { method, suffix, body, said };

	return each_named(c, "workflow", change, &how);
}

static int run_start(struct cli *c)
{
	return change_each(c, "POST", "/start", "{}", "started");
}

static int run_cancel(struct cli *c)
{
	return change_each(c, "POST", "/cancel", "{}", "is being cancelled");
}

static int run_retry(struct cli *c)
{
	return change_each(c, "POST", "/retry", "{}", "runs again");
}

static int run_close(struct cli *c)
{
	return change_each(c, "POST", "/close", "{}", "closed");
}

static int run_delete(struct cli *c)
{
	bool cancel = CLI_OPTS(c, struct delete_opts)->cancel;

	return change_each(c, "DELETE", cancel ? "?cancel=1" : "", NULL,
			   "deleted");
}

static int run_adjust(struct cli *c)
{
	const struct adjust_opts *o = CLI_OPTS(c, struct adjust_opts);
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	int status;

	buf_addc(&b, '{');
	body_text(&b, "name", o->name);
	body_text(&b, "description", o->description);
	body_text(&b, "on_failure", o->on_failure);
	if (!body_number(&b, "priority", o->priority, INT32_MIN, INT32_MAX,
			 &e) ||
	    !body_limit(&b, "max_running", o->max_running, 1, INT32_MAX, &e))
		status = cli_misuse(c, "%s", e.text);
	else if (b.len == 1)
		status = cli_misuse(c,
				    "nothing is to be changed: give an option");
	else {
		buf_addc(&b, '}');
		status = change_each(c, "PATCH", "", buf_str(&b), "adjusted");
	}
	buf_fini(&b);
	return status;
}

const struct cli_command command_workflow_start = {
	.path = "workflow start",
	.args = "WORKFLOW...",
	.brief = "let held workflows run",
	.min_args = 1,
	.max_args = -1,
	.run = run_start,
};

const struct cli_command command_workflow_cancel = {
	.path = "workflow cancel",
	.args = "WORKFLOW...",
	.brief = "cancel all jobs of workflows that have not ended",
	.min_args = 1,
	.max_args = -1,
	.run = run_cancel,
};

const struct cli_command command_workflow_retry = {
	.path = "workflow retry",
	.args = "WORKFLOW...",
	.brief = "run again what failed, and what depends on it",
	.text = "Jobs that ended badly are queued again; jobs that were "
		"skipped because of them wait again. What ran already is not "
		"undone.",
	.min_args = 1,
	.max_args = -1,
	.run = run_retry,
};

const struct cli_command command_workflow_close = {
	.path = "workflow close",
	.args = "WORKFLOW...",
	.brief = "add no more jobs to open workflows",
	.text = "A closed workflow ends when all its jobs have ended.",
	.min_args = 1,
	.max_args = -1,
	.run = run_close,
};

const struct cli_command command_workflow_adjust = {
	.path = "workflow adjust",
	.args = "WORKFLOW...",
	.brief = "change name, priority or limits of workflows",
	.opts = adjust_opts,
	.n_opts = CLI_N(adjust_opts),
	.opts_size = sizeof(struct adjust_opts),
	.choices = adjust_choices,
	.min_args = 1,
	.max_args = -1,
	.run = run_adjust,
};

const struct cli_command command_workflow_delete = {
	.path = "workflow delete",
	.args = "WORKFLOW...",
	.brief = "delete ended workflows with all their jobs",
	.text = "Datasets stay: `sortie dataset delete` forgets them.",
	.opts = delete_opts,
	.n_opts = CLI_N(delete_opts),
	.opts_size = sizeof(struct delete_opts),
	.min_args = 1,
	.max_args = -1,
	.run = run_delete,
};
