/* `sortie jobtype|limit|project|owner`: how much there may be, of what. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/act.h"
#include "clients/body.h"
#include "clients/commands.h"
#include "clients/list.h"
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

struct owner_opts {
	struct cli_settings common;
	const char *max_queued, *max_rate, *max_stored;
};

static const struct opt owner_opts[] = {
	{ .name = "max-queued",
	  .kind = OPT_STR,
	  .offset = offsetof(struct owner_opts, max_queued),
	  .arg = "N",
	  .help = "At most N jobs that have not ended." },
	{ .name = "max-rate",
	  .kind = OPT_STR,
	  .offset = offsetof(struct owner_opts, max_rate),
	  .arg = "N",
	  .help = "At most N calls a second to a server." },
	{ .name = "max-stored",
	  .kind = OPT_STR,
	  .offset = offsetof(struct owner_opts, max_stored),
	  .arg = "SIZE",
	  .help = "At most so many stored bytes: jobs and their output, files "
		  "that jobs send, dags, datasets." },
};

static const struct table_column jobtypes_columns[] = {
	{ .head = "JOBTYPE", .flexible = true, .key = "name" },
	{ .head = "MAX", .right = true, .key = "max_running" },
	{ .head = "RUNNING", .right = true, .key = "running" },
	{ .head = "QUEUED", .right = true, .key = "queued" },
};

static const struct list jobtypes = {
	.path = "/api/v1/jobtypes",
	.columns = jobtypes_columns,
	.n_columns = CLI_N(jobtypes_columns),
	.id = "name",
	.none = "no jobtypes yet: jobs bring them",
};

static const struct table_column limits_columns[] = {
	{ .head = "LIMIT", .flexible = true, .key = "name" },
	{ .head = "CAPACITY", .right = true, .key = "capacity" },
	{ .head = "USED", .right = true, .key = "used" },
};

static const struct list limits = {
	.path = "/api/v1/limits",
	.columns = limits_columns,
	.n_columns = CLI_N(limits_columns),
	.id = "name",
	.none = "no limits: `sortie limit set NAME N` makes one",
};

static bool add_state(const char *state, struct json_object *n, void *arg)
{
	struct buf *b = arg;

	if (json_type(n) != JSON_INT || json_int(n) == 0)
		return true;
	buf_addf(b, "%s%" PRId64 " %s", b->len ? ", " : "", json_int(n), state);
	return true;
}

static void states_cell(struct table *t, struct json_object *o, const char *key)
{
	struct json_object *states = json_get(o, key);
	struct buf b = BUF_INIT;

	if (states != NULL && json_type(states) == JSON_OBJECT)
		json_each(states, add_state, &b);
	list_buf(t, &b);
}

static const struct table_column projects_columns[] = {
	{ .head = "PROJECT", .flexible = true, .key = "name" },
	{ .head = "MAX", .right = true, .key = "max_running" },
	{ .head = "KEEP", .right = true, .key = "keep_last" },
	{ .head = "JOBS",
	  .flexible = true,
	  .key = "jobs",
	  .cell = states_cell },
};

static const struct list projects = {
	.path = "/api/v1/projects",
	.columns = projects_columns,
	.n_columns = CLI_N(projects_columns),
	.id = "name",
	.none = "no projects yet: jobs bring them",
};

static const struct table_column owners_columns[] = {
	{ .head = "OWNER", .flexible = true, .key = "name" },
	{ .head = "QUEUED", .right = true, .key = "queued" },
	{ .head = "MAX", .right = true, .key = "max_queued" },
	{ .head = "CALLS/S", .right = true, .key = "max_rate" },
	{ .head = "STORED",
	  .right = true,
	  .key = "stored",
	  .cell = list_bytes },
	{ .head = "MAX",
	  .right = true,
	  .key = "max_stored",
	  .cell = list_bytes },
};

static const struct list owners = {
	.path = "/api/v1/owners",
	.columns = owners_columns,
	.n_columns = CLI_N(owners_columns),
	.id = "name",
	.none = "no owners yet: tokens bring them",
};

/* PUTs the body, begun with a brace, unless *e tells why not. */
static int put(struct cli *c, const char *prefix, struct buf *body, bool ok,
	       const struct err *e)
{
	int status;

	buf_addc(body, '}');
	status = ok ? act_named(c, "PUT", prefix, c->args[0], buf_str(body),
				"set")
		    : cli_misuse(c, "%s", e->text);
	buf_fini(body);
	return status;
}

static int set_one(struct cli *c, const char *prefix, const char *key,
		   bool none)
{
	struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	int64_t n;
	bool ok = true;

	buf_addc(&body, '{');
	if (none && strcmp(c->args[1], "none") == 0)
		buf_json_kv_raw(&body, key, "null");
	else if (units_parse_i64(c->args[1], 0, INT32_MAX, &n, &e))
		buf_json_kv_i64(&body, key, n);
	else
		ok = err_prefix(&e, "a number%s is expected",
				none ? " or none" : "");
	return put(c, prefix, &body, ok, &e);
}

static int run_jobtype_set(struct cli *c)
{
	return set_one(c, "/api/v1/jobtypes/", "max_running", true);
}

static int run_limit_set(struct cli *c)
{
	if (strcmp(c->args[1], "none") == 0)
		return cli_misuse(c, "a limit has a number: `sortie limit "
				     "delete` takes it away");
	return set_one(c, "/api/v1/limits/", "capacity", false);
}

static int run_limit_delete(struct cli *c)
{
	int status = CLI_OK;

	for (size_t i = 0; i < c->n_args && status == CLI_OK; i++)
		status = act_named(c, "DELETE", "/api/v1/limits/", c->args[i],
				   NULL, "deleted");
	return status;
}

static int run_project_set(struct cli *c)
{
	const struct project_opts *o = CLI_OPTS(c, struct project_opts);
	struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	bool ok;

	if (o->max_running == NULL && o->keep_last == NULL)
		return cli_misuse(c, "say what to set: --max-running or "
				     "--keep-last");
	buf_addc(&body, '{');
	ok = body_limit(&body, "max_running", o->max_running, 0, INT32_MAX,
			&e) &&
	     body_limit(&body, "keep_last", o->keep_last, 0, INT32_MAX, &e);
	return put(c, "/api/v1/projects/", &body, ok, &e);
}

static int run_owner_set(struct cli *c)
{
	const struct owner_opts *o = CLI_OPTS(c, struct owner_opts);
	struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	bool ok;

	if (o->max_queued == NULL && o->max_rate == NULL &&
	    o->max_stored == NULL)
		return cli_misuse(c, "say what to set: --max-queued, "
				     "--max-rate or --max-stored");
	buf_addc(&body, '{');
	ok = body_limit(&body, "max_queued", o->max_queued, 0, INT64_MAX, &e) &&
	     body_limit(&body, "max_rate", o->max_rate, 0, INT64_MAX, &e) &&
	     body_limit_bytes(&body, "max_stored", o->max_stored, &e);
	return put(c, "/api/v1/owners/", &body, ok, &e);
}

const struct cli_command command_jobtype_list = {
	.path = "jobtype list",
	.brief = "list jobtypes and their maxima",
	.list = &jobtypes,
	.run = list_command,
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
	.list = &limits,
	.run = list_command,
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
	.list = &projects,
	.run = list_command,
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

const struct cli_command command_owner_list = {
	.path = "owner list",
	.brief = "list owners, what they have and what they may have",
	.list = &owners,
	.run = list_command,
};

const struct cli_command command_owner_set = {
	.path = "owner set",
	.args = "NAME",
	.brief = "set how much of the service an owner may have",
	.text = "`none` lifts a limit. The name `*` stands for everybody who "
		"has no limit of their own.",
	.opts = owner_opts,
	.n_opts = CLI_N(owner_opts),
	.opts_size = sizeof(struct owner_opts),
	.min_args = 1,
	.max_args = 1,
	.run = run_owner_set,
};
