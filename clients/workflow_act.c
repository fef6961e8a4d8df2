/* `sortie workflow start|cancel|retry|close|adjust|delete`: changes to
 * workflows that are there. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/human.h"
#include "clients/list.h"
#include "clients/query.h"
#include "clients/workflow.h"
#include "lib/units.h"

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

void workflow_path(struct buf *path, const char *word, const char *suffix)
{
	query_path(path, "/api/v1/workflows/", word);
	buf_adds(path, suffix);
}

/* One call for one workflow; body NULL = none. */
static bool send(struct cli *c, const char *method, const char *word,
		 const char *suffix, const char *body,
		 struct call_answer *answer, struct err *e)
{
	struct call_request r = { .method = method, .body = body };
	struct buf path = BUF_INIT;
	bool ok;

	workflow_path(&path, word, suffix);
	r.path = buf_str(&path);
	ok = call_send(c, c->arena, &r, answer, e);
	buf_fini(&path);
	return ok;
}

static void tell(struct cli *c, const char *word, const char *said,
		 const struct call_answer *answer)
{
	struct buf b = BUF_INIT;

	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer->text, answer->len);
		return;
	}
	if (json_get(answer->doc, "changed") != NULL) {
		buf_adds(&b, ": ");
		human_plural(&b, json_get_int(answer->doc, "changed"), "job");
	}
	cli_say(c, "workflow %s %s%s", word, said, buf_str(&b));
	buf_fini(&b);
}

static int act(struct cli *c, const char *suffix, const char *said)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < c->n_args; i++) {
		struct call_answer answer;

		if (!send(c, "POST", c->args[i], suffix, "{}", &answer, &e))
			return cli_fail(c, &e);
		tell(c, c->args[i], said, &answer);
	}
	return CLI_OK;
}

static int run_start(struct cli *c)
{
	return act(c, "/start", "started");
}

static int run_cancel(struct cli *c)
{
	return act(c, "/cancel", "is being cancelled");
}

static int run_retry(struct cli *c)
{
	return act(c, "/retry", "runs again");
}

static int run_close(struct cli *c)
{
	return act(c, "/close", "closed");
}

static int run_delete(struct cli *c)
{
	bool cancel = CLI_OPTS(c, struct delete_opts)->cancel;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < c->n_args; i++) {
		struct call_answer answer;

		if (!send(c, "DELETE", c->args[i], cancel ? "?cancel=1" : "",
			  NULL, &answer, &e))
			return cli_fail(c, &e);
		cli_say(c, "workflow %s %s", c->args[i],
			answer.status == 202 ? "goes when it has ended"
					     : "deleted");
	}
	return CLI_OK;
}

static bool add_number(struct buf *b, const char *option, const char *key,
		       const char *text, int64_t min, struct err *e)
{
	int64_t n;

	if (text == NULL)
		return true;
	if (!units_parse_i64(text, min, INT32_MAX, &n, e))
		return err_prefix(e, "--%s", option);
	buf_json_kv_i64(b, key, n);
	return true;
}

static bool add_max(struct buf *b, const char *text, struct err *e)
{
	if (text == NULL || strcmp(text, "none") != 0)
		return add_number(b, "max-running", "max_running", text, 1, e);
	buf_json_kv_raw(b, "max_running", "null");
	return true;
}

static void add_text(struct buf *b, const char *key, const char *text)
{
	if (text != NULL)
		buf_json_kv_str(b, key, text);
}

static int run_adjust(struct cli *c)
{
	const struct adjust_opts *o = CLI_OPTS(c, struct adjust_opts);
	struct call_answer answer;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	bool ok;

	buf_addc(&b, '{');
	add_text(&b, "name", o->name);
	add_text(&b, "description", o->description);
	add_text(&b, "on_failure", o->on_failure);
	ok = add_number(&b, "priority", "priority", o->priority, INT32_MIN,
			&e) &&
	     add_max(&b, o->max_running, &e);
	buf_addc(&b, '}');
	if (ok && b.len == 2) {
		buf_fini(&b);
		return cli_misuse(c,
				  "nothing is to be changed: give an option");
	}
	for (size_t i = 0; ok && i < c->n_args; i++) {
		ok = send(c, "PATCH", c->args[i], "", buf_str(&b), &answer, &e);
		if (ok)
			tell(c, c->args[i], "adjusted", &answer);
	}
	buf_fini(&b);
	return ok ? CLI_OK : cli_fail(c, &e);
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
