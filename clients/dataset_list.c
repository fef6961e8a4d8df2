/* `sortie dataset list|show`: which files there are, and where each came
 * from. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/dataset.h"
#include "clients/each.h"
#include "clients/facts.h"
#include "clients/list.h"
#include "clients/query.h"
#include "clients/refs.h"
#include "lib/units.h"

/* The most steps of lineage that the server tells. */
#define LINEAGE_DEPTH 10

struct opts {
	struct list_opts list;
	const char **state;
	const char *datatype, *name, *path, *workflow, *producer, *tag, *site;
	const char *owner, *project;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "state",
	  .letter = 's',
	  .kind = OPT_LIST,
	  .offset = F(state),
	  .arg = "STATE",
	  .help = "Only datasets in one of these states: declared, ready, "
		  "missing, deleted." },
	{ .name = "datatype",
	  .letter = 'T',
	  .kind = OPT_STR,
	  .offset = F(datatype),
	  .arg = "TYPE",
	  .help = "Only datasets of this kind." },
	{ .name = "name",
	  .kind = OPT_STR,
	  .offset = F(name),
	  .arg = "NAME",
	  .help = "Only datasets whose name contains NAME, capitals "
		  "alike." },
	{ .name = "path",
	  .kind = OPT_STR,
	  .offset = F(path),
	  .arg = "PREFIX",
	  .help = "Only datasets whose path begins so." },
	{ .name = "workflow",
	  .letter = 'w',
	  .kind = OPT_STR,
	  .offset = F(workflow),
	  .arg = "WORKFLOW",
	  .help = "Only datasets of this workflow." },
	{ .name = "producer",
	  .kind = OPT_STR,
	  .offset = F(producer),
	  .arg = "JOB",
	  .help = "Only what this job makes." },
	{ .name = "tag",
	  .kind = OPT_STR,
	  .offset = F(tag),
	  .arg = "TAG",
	  .help = "Only datasets with this tag." },
	{ .name = "site",
	  .kind = OPT_STR,
	  .offset = F(site),
	  .arg = "SITE",
	  .help = "Only files of this site." },
	{ .name = "owner",
	  .kind = OPT_STR,
	  .offset = F(owner),
	  .arg = "NAME",
	  .help = "Only datasets of this owner." },
	{ .name = "project",
	  .letter = 'p',
	  .kind = OPT_STR,
	  .offset = F(project),
	  .arg = "NAME",
	  .help = "Only datasets of this project." },
	LIST_MAX("datasets", "100"),
	LIST_ALL,
};

static const struct cli_choice choices[] = {
	{ "state", "declared ready missing deleted" },
	{ NULL, NULL },
};

static void add_size(struct buf *b, struct json_object *o)
{
	struct json_object *v = json_get(o, "size");

	if (v != NULL && json_type(v) == JSON_INT)
		units_format_bytes(b, json_int(v));
}

static void add_path(struct buf *b, struct json_object *o)
{
	const char *path = json_get_str(o, "path");

	buf_adds(b, path != NULL ? path : "");
	if (json_get_int(o, "version") > 1)
		buf_addf(b, " (version %" PRId64 ")",
			 json_get_int(o, "version"));
}

static void path_cell(struct table *t, struct json_object *o, const char *key)
{
	struct buf b = BUF_INIT;

	(void)key;
	add_path(&b, o);
	list_buf(t, &b);
}

static const struct table_column columns[] = {
	{ .head = "DATASET", .right = true, .key = "number" },
	{ .head = "STATE", .key = "state" },
	{ .head = "TYPE", .flexible = true, .key = "datatype" },
	{ .head = "SIZE", .right = true, .key = "size", .cell = list_bytes },
	{ .head = "WORKFLOW",
	  .right = true,
	  .key = "workflow",
	  .cell = list_number },
	{ .head = "MADE BY",
	  .right = true,
	  .key = "producer",
	  .cell = list_number },
	{ .head = "PATH", .flexible = true, .cell = path_cell },
};

static const struct list datasets = {
	.path = "/api/v1/datasets",
	.columns = columns,
	.n_columns = CLI_N(columns),
	.id = "number",
	.none = "no such datasets",
};

/* What its producer has done, or was to do. */
static const char *made_by(struct json_object *o)
{
	const char *state = json_get_str(o, "state");

	if (json_get_int(o, "producer") == 0)
		return "made by";
	if (state != NULL && strcmp(state, "declared") == 0)
		return "to be made by";
	if (state != NULL && strcmp(state, "missing") == 0)
		return "not made by";
	return "made by";
}

static void add_producer(struct buf *b, struct json_object *o)
{
	buf_addf(b, "job %" PRId64, json_get_int(o, "producer"));
	if (json_get_int(o, "producer_run") > 0)
		buf_addf(b, ", run %" PRId64, json_get_int(o, "producer_run"));
}

static void print_producer(struct json_object *o)
{
	struct buf b = BUF_INIT;

	if (json_get_int(o, "producer") > 0)
		add_producer(&b, o);
	else
		buf_adds(&b, "nothing here: it came from outside");
	facts_text(made_by(o), buf_str(&b));
	buf_fini(&b);
}

/* One line of a lineage, indented by its distance. */
static void add_relative(struct buf *b, struct json_object *o)
{
	buf_addf(b, "%*s%" PRId64 " ", (int)json_get_int(o, "depth") * 2 - 2,
		 "", json_get_int(o, "number"));
	add_path(b, o);
	buf_addf(b, ", %s", json_get_str(o, "state"));
	if (json_get_int(o, "producer") > 0) {
		buf_addf(b, ", %s ", made_by(o));
		add_producer(b, o);
	}
	buf_addc(b, '\n');
}

static void print_lineage(const char *head, struct json_object *doc,
			  const char *key)
{
	struct json_object *list = json_get(doc, key);
	struct buf b = BUF_INIT;

	if (list == NULL || json_type(list) != JSON_ARRAY)
		return;
	for (size_t i = 0; i < json_len(list); i++)
		add_relative(&b, json_at(list, i));
	facts_text(head, buf_str(&b));
	buf_fini(&b);
}

static void print(struct json_object *o)
{
	struct buf b = BUF_INIT;

	facts_printf("dataset", "%" PRId64 "  %s", json_get_int(o, "number"),
		     json_get_str(o, "id"));
	facts_member("path", o, "path");
	if (json_get_int(o, "version") > 1)
		facts_member("version", o, "version");
	facts_member("site", o, "site");
	facts_member("state", o, "state");
	facts_member("datatype", o, "datatype");
	facts_member("tag", o, "tag");
	add_size(&b, o);
	facts_text("size", buf_str(&b));
	buf_fini(&b);
	facts_member("checksum", o, "checksum");
	facts_member("comment", o, "comment");
	facts_member("owner", o, "owner");
	facts_member("project", o, "project");
	facts_member("workflow", o, "workflow");
	print_producer(o);
	facts_member("read by jobs", o, "consumers");
	facts_time("registered", o, "registered_at");
	facts_time("changed", o, "updated_at");
	print_lineage("made from", o, "up");
	print_lineage("went into", o, "down");
}

static const struct opt show_opts[] = {
	{ .name = "site",
	  .kind = OPT_STR,
	  .offset = F(site),
	  .arg = "SITE",
	  .help = "The site whose file it is; one path can be a file at each "
		  "site." },
};

static int run_show(struct cli *c)
{
	struct call_answer answer;
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	const char *word;
	bool ok;

	if (!each_one(c, "dataset", c->args[0], &word, &e))
		return refs_fail(c, &e);
	ok = dataset_path(c->arena, &path, word, CLI_OPTS(c, struct opts)->site,
			  &e);
	query_add_i64(&path, "depth", LINEAGE_DEPTH);
	ok = ok && call_get(c, c->arena, buf_str(&path), &answer, &e);
	buf_fini(&path);
	if (!ok)
		return cli_fail(c, &e);
	if (c->settings->json || c->settings->ndjson)
		list_raw(answer.text, answer.len);
	else if (c->settings->quiet)
		printf("%" PRId64 "\n", json_get_int(answer.doc, "number"));
	else
		print(answer.doc);
	return CLI_OK;
}

const struct cli_command command_dataset_list = {
	.path = "dataset list",
	.brief = "list files that jobs read and write, newest first",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = choices,
	.list = &datasets,
	.run = list_command,
};

const struct cli_command command_dataset_show = {
	.path = "dataset show",
	.args = "DATASET",
	.brief = "show a file with what it was made from",
	.text = "DATASET is its number, UUID or path, or @last. Tells which run of "
		"which job made it, from what, and what was made from it.",
	.opts = show_opts,
	.n_opts = CLI_N(show_opts),
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run_show,
};
