/* `sortie jobtype|limit|project`: how much may run at once, of what. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/list.h"
#include "clients/query.h"
#include "lib/units.h"

struct project_opts {
	struct cli_settings common;
	const char *max_running, *keep_last;
};

static const struct opt project_opts[] = {
	{ .name = "max-running",
	  .kind = OPT_STR,
	  .offset = offsetof(struct project_opts, max_running),
	  .arg = "N",
	  .help = "At most N jobs at once; `none` lifts the limit." },
	{ .name = "keep-last",
	  .kind = OPT_STR,
	  .offset = offsetof(struct project_opts, keep_last),
	  .arg = "N",
	  .help = "Keep only the newest N ended jobs; `none` keeps them as "
		  "long as all others." },
};

static const struct table_column jobtype_columns[] = {
	{ .head = "JOBTYPE", .flexible = true },
	{ .head = "MAX", .right = true },
	{ .head = "RUNNING", .right = true },
	{ .head = "QUEUED", .right = true },
};

static void jobtype_row(struct table *t, struct json_object *o)
{
	list_cell(t, o, "name");
	list_cell(t, o, "max_running");
	list_cell(t, o, "running");
	list_cell(t, o, "queued");
}

static int run_jobtype_list(struct cli *c)
{
	const struct list l = { .path = "/api/v1/jobtypes",
				.columns = jobtype_columns,
				.n_columns = CLI_N(jobtype_columns),
				.row = jobtype_row,
				.id = "name",
				.none = "no jobtypes yet: jobs bring them" };

	return list_print(c, &l);
}

static const struct table_column limit_columns[] = {
	{ .head = "LIMIT", .flexible = true },
	{ .head = "CAPACITY", .right = true },
	{ .head = "USED", .right = true },
};

static void limit_row(struct table *t, struct json_object *o)
{
	list_cell(t, o, "name");
	list_cell(t, o, "capacity");
	list_cell(t, o, "used");
}

static int run_limit_list(struct cli *c)
{
	const struct list l = {
		.path = "/api/v1/limits",
		.columns = limit_columns,
		.n_columns = CLI_N(limit_columns),
		.row = limit_row,
		.id = "name",
		.none = "no limits: `sortie limit set NAME N` makes one"
	};

	return list_print(c, &l);
}

static const struct table_column project_columns[] = {
	{ .head = "PROJECT", .flexible = true },
	{ .head = "MAX", .right = true },
	{ .head = "KEEP", .right = true },
	{ .head = "JOBS", .flexible = true },
};

/* The counts by state are an object of their own, under "jobs" or "states". */
static bool add_state(const char *state, struct json_object *n, void *arg)
{
	struct buf *b = arg;

	if (json_type(n) != JSON_INT || json_int(n) == 0)
		return true;
	buf_addf(b, "%s%" PRId64 " %s", b->len ? ", " : "", json_int(n), state);
	return true;
}

static void project_row(struct table *t, struct json_object *o)
{
	struct json_object *states = json_get(o, "jobs");
	struct buf b = BUF_INIT;

	if (states == NULL)
		states = json_get(o, "states");
	list_cell(t, o, "name");
	list_cell(t, o, "max_running");
	list_cell(t, o, "keep_last");
	if (states != NULL && json_type(states) == JSON_OBJECT)
		json_each(states, add_state, &b);
	table_cell(t, b.len ? buf_str(&b) : NULL);
	buf_fini(&b);
}

static int run_project_list(struct cli *c)
{
	const struct list l = { .path = "/api/v1/projects",
				.columns = project_columns,
				.n_columns = CLI_N(project_columns),
				.row = project_row,
				.id = "name",
				.none = "no projects yet: jobs bring them" };

	return list_print(c, &l);
}

static int send(struct cli *c, const char *method, const char *prefix,
		const char *name, const char *body, const char *said)
{
	struct buf path = BUF_INIT;
	struct call_request r = { .method = method, .body = body };
	struct call_answer answer;
	struct err e = ERR_INIT;
	bool ok;

	query_path(&path, prefix, name);
	r.path = buf_str(&path);
	ok = call_send(c, c->arena, &r, &answer, &e);
	buf_fini(&path);
	if (!ok)
		return cli_fail(c, &e);
	if ((c->settings->json || c->settings->ndjson) && answer.len > 0)
		list_raw(answer.text, answer.len);
	else if (c->settings->quiet)
		printf("%s\n", name);
	else
		cli_say(c, "%s %s", name, said);
	return CLI_OK;
}

/* "key":N, or "key":null for `none`. */
static bool add_cap(struct buf *b, const char *key, const char *text,
		    struct err *e)
{
	int64_t n;

	if (text == NULL)
		return true;
	if (strcmp(text, "none") == 0) {
		buf_json_kv_raw(b, key, "null");
		return true;
	}
	if (!units_parse_i64(text, 0, INT32_MAX, &n, e))
		return err_prefix(e, "%s takes a number or none", key);
	buf_json_kv_i64(b, key, n);
	return true;
}

static int set_one(struct cli *c, const char *prefix, const char *key)
{
	struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	int status;

	if (strcmp(key, "capacity") == 0 && strcmp(c->args[1], "none") == 0)
		return cli_misuse(c, "a limit has a number: `sortie limit "
				     "delete` takes it away");
	buf_addc(&body, '{');
	if (add_cap(&body, key, c->args[1], &e)) {
		buf_addc(&body, '}');
		status = send(c, "PUT", prefix, c->args[0], buf_str(&body),
			      "set");
	} else {
		status = cli_misuse(c, "%s", e.text);
	}
	buf_fini(&body);
	return status;
}

static int run_jobtype_set(struct cli *c)
{
	return set_one(c, "/api/v1/jobtypes/", "max_running");
}

static int run_limit_set(struct cli *c)
{
	return set_one(c, "/api/v1/limits/", "capacity");
}

static int run_limit_delete(struct cli *c)
{
	int status = CLI_OK;

	for (size_t i = 0; i < c->n_args && status == CLI_OK; i++)
		status = send(c, "DELETE", "/api/v1/limits/", c->args[i], NULL,
			      "deleted");
	return status;
}

static int run_project_set(struct cli *c)
{
	const struct project_opts *o = CLI_OPTS(c, struct project_opts);
	struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	int status;

	if (o->max_running == NULL && o->keep_last == NULL)
		return cli_misuse(c, "say what to set: --max-running or "
				     "--keep-last");
	buf_addc(&body, '{');
	if (add_cap(&body, "max_running", o->max_running, &e) &&
	    add_cap(&body, "keep_last", o->keep_last, &e)) {
		buf_addc(&body, '}');
		status = send(c, "PUT", "/api/v1/projects/", c->args[0],
			      buf_str(&body), "set");
	} else {
		status = cli_misuse(c, "%s", e.text);
	}
	buf_fini(&body);
	return status;
}

const struct cli_command command_jobtype_list = {
	.path = "jobtype list",
	.brief = "list jobtypes and their maxima",
	.run = run_jobtype_list,
};

const struct cli_command command_jobtype_set = {
	.path = "jobtype set",
	.args = "NAME MAX",
	.brief = "set how many jobs of a type may run at once",
	.text = "MAX is a number, or `none`. It binds queued jobs, too.",
	.min_args = 2,
	.max_args = 2,
	.run = run_jobtype_set,
};

const struct cli_command command_limit_list = {
	.path = "limit list",
	.brief = "list named limits",
	.run = run_limit_list,
};

const struct cli_command command_limit_set = {
	.path = "limit set",
	.args = "NAME CAPACITY",
	.brief = "make a named limit, or change its capacity",
	.text = "Jobs that name it in `limits` hold a part of it while they "
		"run.",
	.min_args = 2,
	.max_args = 2,
	.run = run_limit_set,
};

const struct cli_command command_limit_delete = {
	.path = "limit delete",
	.args = "NAME...",
	.brief = "delete limits",
	.min_args = 1,
	.max_args = -1,
	.run = run_limit_delete,
};

const struct cli_command command_project_list = {
	.path = "project list",
	.brief = "list projects and their jobs",
	.run = run_project_list,
};

const struct cli_command command_project_set = {
	.path = "project set",
	.args = "NAME",
	.brief = "set how much of a project may run, and what is kept",
	.opts = project_opts,
	.n_opts = CLI_N(project_opts),
	.opts_size = sizeof(struct project_opts),
	.min_args = 1,
	.max_args = 1,
	.run = run_project_set,
};
