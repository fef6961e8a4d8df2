/* `sortie workflow list|show`: which workflows there are, and how far each
 * is. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/each.h"
#include "clients/facts.h"
#include "clients/jobview.h"
#include "clients/list.h"
#include "clients/refs.h"
#include "clients/workflow.h"

struct opts {
	struct list_opts list;
	const char **state;
	const char *dag, *name, *owner, *project;
	int64_t since_s;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "state",
	  .letter = 's',
	  .kind = OPT_LIST,
	  .offset = F(state),
	  .arg = "STATE",
	  .help = "Only workflows in one of these states: held, running, "
		  "finished, failed, cancelled." },
	{ .name = "dag",
	  .kind = OPT_STR,
	  .offset = F(dag),
	  .arg = "DAG",
	  .help = "Only workflows made from this dag." },
	{ .name = "name",
	  .kind = OPT_STR,
	  .offset = F(name),
	  .arg = "NAME",
	  .help = "Only workflows whose name contains NAME, capitals "
		  "alike." },
	{ .name = "owner",
	  .kind = OPT_STR,
	  .offset = F(owner),
	  .arg = "NAME",
	  .help = "Only workflows of this owner." },
	{ .name = "project",
	  .letter = 'p',
	  .kind = OPT_STR,
	  .offset = F(project),
	  .arg = "NAME",
	  .help = "Only workflows of this project." },
	{ .name = "since",
	  .kind = OPT_SECONDS,
	  .offset = F(since_s),
	  .max = INT64_C(1000000000),
	  .arg = "TIME",
	  .help = "Only workflows created within the last TIME (\"2 h\")." },
	LIST_MAX("workflows", "100"),
	LIST_ALL,
};

static const struct cli_choice choices[] = {
	{ "state", CHOICE_WORKFLOW_STATES },
	{ NULL, NULL },
};

static const char *state_of(struct json_object *o)
{
	const char *doing = json_get_str(o, "cancelling");

	return doing != NULL && doing[0] != '\0' &&
			       json_get_str(o, "ended_at") == NULL
		       ? "cancelling"
		       : json_get_str(o, "state");
}

static void dag_text(struct buf *b, struct json_object *o)
{
	const char *dag = json_get_str(o, "dag");

	if (dag != NULL)
		buf_addf(b, "%s:%" PRId64, dag, json_get_int(o, "dag_version"));
}

static void dag_cell(struct table *t, struct json_object *o, const char *key)
{
	struct buf b = BUF_INIT;

	(void)key;
	dag_text(&b, o);
	list_buf(t, &b);
}

static void state_cell(struct table *t, struct json_object *o, const char *key)
{
	(void)key;
	table_cell(t, state_of(o));
}

static void ended_cell(struct table *t, struct json_object *o, const char *key)
{
	table_cellf(t, "%" PRId64 "/%" PRId64 "%s", json_get_int(o, key),
		    json_get_int(o, "jobs"),
		    json_get_bool(o, "open") ? "+" : "");
}

static const struct table_column columns[] = {
	{ .head = "WORKFLOW", .right = true, .key = "number" },
	{ .head = "NAME", .flexible = true, .key = "name" },
	{ .head = "DAG", .flexible = true, .cell = dag_cell },
	{ .head = "PROJECT", .flexible = true, .key = "project" },
	{ .head = "STATE", .cell = state_cell },
	{ .head = "ENDED", .right = true, .key = "ended", .cell = ended_cell },
	{ .head = "BAD", .right = true, .key = "bad" },
	{ .head = "AGE", .right = true, .key = "created_at", .cell = list_age },
	{ .head = "TIME", .right = true, .cell = list_span },
};

static const struct list workflows = {
	.path = "/api/v1/workflows",
	.columns = columns,
	.n_columns = CLI_N(columns),
	.id = "number",
	.none = "no such workflows",
};

struct show_opts {
	struct list_opts list;
	const char **state;
};

static const struct opt show_opts[] = {
	{ .name = "state",
	  .letter = 's',
	  .kind = OPT_LIST,
	  .offset = offsetof(struct show_opts, state),
	  .arg = "STATE",
	  .help = "Only its jobs in one of these states." },
	LIST_MAX("of its jobs", "100"),
	LIST_ALL,
};

static void job_end(struct buf *b, struct json_object *o)
{
	const char *reason = json_get_str(o, "reason");
	int64_t open = json_get_int(o, "waits_for");

	jobview_end(b, o);
	if (open > 0)
		buf_addf(b, "waits for %" PRId64 " job%s", open,
			 open == 1 ? "" : "s");
	else if (reason != NULL && reason[0] != '\0')
		buf_addf(b, "%s%s", b->len > 0 ? ", " : "", reason);
	else if (json_get_bool(o, "noop"))
		buf_adds(b, "noop");
}

static void end_cell(struct table *t, struct json_object *o, const char *key)
{
	struct buf b = BUF_INIT;

	(void)key;
	job_end(&b, o);
	list_buf(t, &b);
}

static const struct table_column job_columns[] = {
	{ .head = "JOB", .right = true, .key = "job" },
	{ .head = "NAME", .flexible = true, .key = "name" },
	{ .head = "STATE", .key = "state" },
	{ .head = "TIME", .right = true, .cell = list_span },
	{ .head = "END", .flexible = true, .cell = end_cell },
};

static const struct list jobs = {
	.columns = job_columns,
	.n_columns = CLI_N(job_columns),
	.id = "job",
	.none = "no such jobs",
};

static void print(struct json_object *o)
{
	struct buf b = BUF_INIT;

	facts_printf("workflow", "%" PRId64 "  %s", json_get_int(o, "number"),
		     json_get_str(o, "id"));
	facts_member("name", o, "name");
	facts_member("description", o, "description");
	dag_text(&b, o);
	facts_text("dag", buf_str(&b));
	facts_member("owner", o, "owner");
	facts_member("project", o, "project");
	facts_printf("state", "%s%s", state_of(o),
		     json_get_bool(o, "open") ? " (open: jobs may be added)"
					      : "");
	facts_member("jobs", o, "jobs");
	buf_reset(&b);
	workflow_states(&b, o);
	facts_text("", buf_str(&b));
	buf_fini(&b);
	facts_member("max running", o, "max_running");
	facts_member("on failure", o, "on_failure");
	facts_time("created", o, "created_at");
	facts_time("started", o, "started_at");
	facts_time("ended", o, "ended_at");
	putchar('\n');
}

static int print_jobs(struct cli *c, const char *word)
{
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	int status;

	workflow_path(&path, word, "/jobs");
	if (!list_query(c, &path, c->command->n_opts, &e))
		status = refs_fail(c, &e);
	else
		status = list_print(c, &jobs, buf_str(&path), list_max(c));
	buf_fini(&path);
	return status;
}

static int run_show(struct cli *c)
{
	struct call_answer answer;
	struct err e = ERR_INIT;
	const char *word;
	int status;

	if (!each_one(c, "workflow", c->args[0], &word, &e))
		return refs_fail(c, &e);
	if (c->settings->quiet)
		return print_jobs(c, word);
	if (!workflow_get(c, word, "", &answer, &status))
		return status;
	print(answer.doc);
	return print_jobs(c, word);
}

const struct cli_command command_workflow_list = {
	.path = "workflow list",
	.brief = "list workflows, newest first",
	.text = "ENDED tells how many of its jobs have ended, with a + when "
		"jobs may still be added; BAD how many did not end well.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = choices,
	.list = &workflows,
	.run = list_command,
};

const struct cli_command command_workflow_show = {
	.path = "workflow show",
	.args = "WORKFLOW",
	.brief = "show a workflow with its jobs",
	.text = "With --quiet the numbers of its jobs alone; with --json the "
		"workflow without its jobs (`sortie job list --workflow N "
		"--json` has these).",
	.opts = show_opts,
	.n_opts = CLI_N(show_opts),
	.opts_size = sizeof(struct show_opts),
	.choices = choice_job_states,
	.min_args = 1,
	.max_args = 1,
	.run = run_show,
};
