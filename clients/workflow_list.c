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
#include "clients/human.h"
#include "clients/jobview.h"
#include "clients/list.h"
#include "clients/query.h"
#include "clients/refs.h"
#include "clients/workflow.h"
#include "lib/units.h"

struct list_opts {
	struct cli_settings common;
	const char **state;
	const char *dag, *name, *owner, *project;
	int64_t since_s, max;
	bool all;
};

#define F(name) offsetof(struct list_opts, name)

static const struct opt list_opts[] = {
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
	{ .name = "max",
	  .letter = 'n',
	  .kind = OPT_INT,
	  .offset = F(max),
	  .min = 1,
	  .max = 100000000,
	  .def = "100",
	  .arg = "N",
	  .help = "At most N workflows." },
	{ .name = "all",
	  .letter = 'a',
	  .kind = OPT_FLAG,
	  .offset = F(all),
	  .help = "However many there are." },
};

static const struct cli_choice list_choices[] = {
	{ "state", CHOICE_WORKFLOW_STATES },
	{ NULL, NULL },
};

static const struct table_column list_columns[] = {
	{ .head = "WORKFLOW", .right = true },
	{ .head = "NAME", .flexible = true },
	{ .head = "DAG", .flexible = true },
	{ .head = "PROJECT", .flexible = true },
	{ .head = "STATE" },
	{ .head = "ENDED", .right = true },
	{ .head = "BAD", .right = true },
	{ .head = "AGE", .right = true },
	{ .head = "TIME", .right = true },
};

static void span_cell(struct table *t, struct json_object *o)
{
	int64_t ms = jobview_span_ms(o, "started_at", "ended_at");
	struct buf b = BUF_INIT;

	if (ms >= 0)
		units_format_ms(&b, ms);
	table_cell(t, ms >= 0 ? buf_str(&b) : NULL);
	buf_fini(&b);
}

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

static void row(struct table *t, struct json_object *o)
{
	struct buf b = BUF_INIT;

	table_cellf(t, "%" PRId64, json_get_int(o, "number"));
	table_cell(t, json_get_str(o, "name"));
	dag_text(&b, o);
	table_cell(t, b.len > 0 ? buf_str(&b) : NULL);
	table_cell(t, json_get_str(o, "project"));
	table_cell(t, state_of(o));
	table_cellf(t, "%" PRId64 "/%" PRId64 "%s", json_get_int(o, "ended"),
		    json_get_int(o, "jobs"),
		    json_get_bool(o, "open") ? "+" : "");
	table_cellf(t, "%" PRId64, json_get_int(o, "bad"));
	buf_reset(&b);
	human_age(&b, jobview_span_ms(o, "created_at", "absent"));
	table_cell(t, buf_str(&b));
	buf_fini(&b);
	span_cell(t, o);
}

static int run_list(struct cli *c)
{
	const struct list_opts *o = CLI_OPTS(c, struct list_opts);
	struct buf path = BUF_INIT;
	struct list l = {
		.columns = list_columns,
		.n_columns = CLI_N(list_columns),
		.row = row,
		.id = "number",
		.none = "no such workflows",
		.max = o->all ? 0 : o->max,
	};
	int status;

	buf_adds(&path, "/api/v1/workflows");
	query_add_joined(&path, "state", (const char *const *)o->state);
	query_add(&path, "dag", o->dag);
	query_add(&path, "name", o->name);
	query_add(&path, "owner", o->owner);
	query_add(&path, "project", o->project);
	if (o->since_s > 0)
		query_add_i64(&path, "since_s", o->since_s);
	l.path = buf_str(&path);
	status = list_print(c, &l);
	buf_fini(&path);
	return status;
}

struct show_opts {
	struct cli_settings common;
	const char **state;
	int64_t max;
	bool all;
};

#define S(name) offsetof(struct show_opts, name)

static const struct opt show_opts[] = {
	{ .name = "state",
	  .letter = 's',
	  .kind = OPT_LIST,
	  .offset = S(state),
	  .arg = "STATE",
	  .help = "Only its jobs in one of these states." },
	{ .name = "max",
	  .letter = 'n',
	  .kind = OPT_INT,
	  .offset = S(max),
	  .min = 1,
	  .max = 100000000,
	  .def = "100",
	  .arg = "N",
	  .help = "At most N of its jobs." },
	{ .name = "all",
	  .letter = 'a',
	  .kind = OPT_FLAG,
	  .offset = S(all),
	  .help = "All its jobs." },
};

static const struct table_column job_columns[] = {
	{ .head = "JOB", .right = true },
	{ .head = "NAME", .flexible = true },
	{ .head = "STATE" },
	{ .head = "TIME", .right = true },
	{ .head = "END", .flexible = true },
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

static void job_row(struct table *t, struct json_object *o)
{
	struct buf b = BUF_INIT;

	table_cellf(t, "%" PRId64, json_get_int(o, "job"));
	table_cell(t, json_get_str(o, "name"));
	table_cell(t, json_get_str(o, "state"));
	span_cell(t, o);
	job_end(&b, o);
	table_cell(t, b.len > 0 ? buf_str(&b) : NULL);
	buf_fini(&b);
}

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
	const struct show_opts *o = CLI_OPTS(c, struct show_opts);
	struct buf path = BUF_INIT;
	struct list l = {
		.columns = job_columns,
		.n_columns = CLI_N(job_columns),
		.row = job_row,
		.id = "job",
		.none = "no such jobs",
		.max = o->all ? 0 : o->max,
	};
	int status;

	workflow_path(&path, word, "/jobs");
	query_add_joined(&path, "state", (const char *const *)o->state);
	l.path = buf_str(&path);
	status = list_print(c, &l);
	buf_fini(&path);
	return status;
}

static int run_show(struct cli *c)
{
	struct call_answer answer;
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	const char *word;
	bool ok;

	if (!each_one(c, "workflow", c->args[0], &word, &e))
		return refs_fail(c, &e);
	if (c->settings->quiet)
		return print_jobs(c, word);
	workflow_path(&path, word, "");
	ok = call_get(c, c->arena, buf_str(&path), &answer, &e);
	buf_fini(&path);
	if (!ok)
		return cli_fail(c, &e);
	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer.text, answer.len);
		return CLI_OK;
	}
	print(answer.doc);
	return print_jobs(c, word);
}

const struct cli_command command_workflow_list = {
	.path = "workflow list",
	.brief = "list workflows, newest first",
	.text = "ENDED tells how many of its jobs have ended, with a + when "
		"jobs may still be added; BAD how many did not end well.",
	.opts = list_opts,
	.n_opts = CLI_N(list_opts),
	.opts_size = sizeof(struct list_opts),
	.choices = list_choices,
	.run = run_list,
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
