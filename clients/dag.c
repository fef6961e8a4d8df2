/* `sortie dag add|list|delete`: stored graphs that workflows are made from. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/graphfile.h"
#include "clients/human.h"
#include "clients/list.h"
#include "clients/query.h"

struct add_opts {
	struct cli_settings common;
	const char *name, *description;
};

struct delete_opts {
	struct cli_settings common;
	int64_t version;
};

#define A(name) offsetof(struct add_opts, name)

static const struct opt add_opts[] = {
	{ .name = "name",
	  .letter = 'n',
	  .kind = OPT_STR,
	  .offset = A(name),
	  .arg = "NAME",
	  .help = "Its name; the document's, or the file's without its "
		  "ending, by default." },
	{ .name = "description",
	  .letter = 'D',
	  .kind = OPT_STR,
	  .offset = A(description),
	  .arg = "TEXT",
	  .help = "What it is for." },
};

static const struct opt delete_opts[] = {
	{ .name = "version",
	  .kind = OPT_INT,
	  .offset = offsetof(struct delete_opts, version),
	  .max = INT32_MAX,
	  .arg = "N",
	  .help = "Only this version." },
};

static const struct table_column dags_columns[] = {
	{ .head = "DAG", .flexible = true, .key = "name" },
	{ .head = "VERSION", .right = true, .key = "version" },
	{ .head = "JOBS", .right = true, .key = "jobs" },
	{ .head = "EDGES", .right = true, .key = "edges" },
	{ .head = "OWNER", .flexible = true, .key = "owner" },
	{ .head = "ADDED", .key = "created_at", .cell = list_time },
	{ .head = "DESCRIPTION", .flexible = true, .key = "description" },
};

static const struct list dags = {
	.path = "/api/v1/dags",
	.columns = dags_columns,
	.n_columns = CLI_N(dags_columns),
	.id = "name",
	.none = "no dags: `sortie dag add FILE` stores one",
};

static void tell(struct cli *c, const char *name,
		 const struct call_answer *answer)
{
	struct json_object *warnings = json_get(answer->doc, "warnings");
	struct buf b = BUF_INIT;

	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer->text, answer->len);
		return;
	}
	for (size_t i = 0;
	     warnings != NULL && json_type(warnings) == JSON_ARRAY &&
	     i < json_len(warnings);
	     i++)
		cli_note("warning: %s", json_str(json_at(warnings, i)));
	if (c->settings->quiet)
		printf("%s\n", name);
	human_plural(&b, json_get_int(answer->doc, "jobs"), "job");
	buf_adds(&b, ", ");
	human_plural(&b, json_get_int(answer->doc, "edges"), "edge");
	cli_say(c, "dag %s %s as version %" PRId64 ": %s", name,
		answer->status == 201 ? "stored" : "is there already",
		json_get_int(answer->doc, "version"), buf_str(&b));
	buf_fini(&b);
}

static bool add(struct cli *c, const char *file, struct err *e)
{
	const struct add_opts *o = CLI_OPTS(c, struct add_opts);
	struct call_request r = { .method = "PUT" };
	struct buf path = BUF_INIT, body = BUF_INIT;
	struct call_answer answer;
	const char *name;
	struct dag *d;
	bool ok;

	if (!graphfile_read(c, file, 0, &d, e))
		return false;
	name = o->name != NULL      ? o->name
	       : d->name[0] != '\0' ? d->name
				    : graphfile_name(c->arena, file);
	if (name == NULL)
		return err_set(e, ERR_BAD_REQUEST,
			       "the dag has no name: give it one with --name");
	query_path(&path, "/api/v1/dags/", name);
	query_add(&path, "description", o->description);
	dag_write_json(&body, d);
	r.path = buf_str(&path);
	r.body = body.data;
	r.body_len = body.len;
	ok = call_send(c, c->arena, &r, &answer, e);
	buf_fini(&path);
	buf_fini(&body);
	if (!ok)
		return err_prefix(e, "%s", file);
	tell(c, name, &answer);
	return true;
}

static int run_add(struct cli *c)
{
	struct err e = ERR_INIT;

	if (c->n_args > 1 && CLI_OPTS(c, struct add_opts)->name != NULL)
		return cli_misuse(c, "--name is for one file");
	for (size_t i = 0; i < c->n_args; i++)
		if (!add(c, c->args[i], &e))
			return cli_fail(c, &e);
	return CLI_OK;
}

static int run_delete(struct cli *c)
{
	int64_t version = CLI_OPTS(c, struct delete_opts)->version;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < c->n_args; i++) {
		struct call_request r = { .method = "DELETE" };
		struct buf path = BUF_INIT;
		struct call_answer answer;
		bool ok;

		query_path(&path, "/api/v1/dags/", c->args[i]);
		if (version > 0)
			query_add_i64(&path, "version", version);
		r.path = buf_str(&path);
		ok = call_send(c, c->arena, &r, &answer, &e);
		buf_fini(&path);
		if (!ok)
			return cli_fail(c, &e);
		if (version > 0)
			cli_say(c, "version %" PRId64 " of dag %s deleted",
				version, c->args[i]);
		else
			cli_say(c, "dag %s deleted", c->args[i]);
	}
	return CLI_OK;
}

const struct cli_command command_dag_add = {
	.path = "dag add",
	.args = "FILE...",
	.brief = "store a graph of jobs from GraphML or JSON",
	.text = "A dag that is there already gets a new version; workflows "
		"are made from the newest one unless they name another. A "
		"file that says the same as the newest version changes "
		"nothing.",
	.opts = add_opts,
	.n_opts = CLI_N(add_opts),
	.opts_size = sizeof(struct add_opts),
	.min_args = 1,
	.max_args = -1,
	.run = run_add,
};

const struct cli_command command_dag_list = {
	.path = "dag list",
	.brief = "list stored dags",
	.list = &dags,
	.run = list_command,
};

const struct cli_command command_dag_delete = {
	.path = "dag delete",
	.args = "DAG...",
	.brief = "delete dags, with all their versions",
	.text = "Workflows that were made from them stay.",
	.opts = delete_opts,
	.n_opts = CLI_N(delete_opts),
	.opts_size = sizeof(struct delete_opts),
	.min_args = 1,
	.max_args = -1,
	.run = run_delete,
};
