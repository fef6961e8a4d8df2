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
	struct cli_settings common;
	const char **state;
	const char *datatype, *name, *path, *workflow, *producer, *tag, *site;
	int64_t max;
	bool all;
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
	{ .name = "max",
	  .letter = 'n',
	  .kind = OPT_INT,
	  .offset = F(max),
	  .min = 1,
	  .max = 100000000,
	  .def = "100",
	  .arg = "N",
	  .help = "At most N datasets." },
	{ .name = "all",
	  .letter = 'a',
	  .kind = OPT_FLAG,
	  .offset = F(all),
	  .help = "However many there are." },
};

static const struct cli_choice choices[] = {
	{ "state", "declared ready missing deleted" },
	{ NULL, NULL },
};

static const struct table_column columns[] = {
	{ .head = "DATASET", .right = true },
	{ .head = "STATE" },
	{ .head = "TYPE", .flexible = true },
	{ .head = "SIZE", .right = true },
	{ .head = "WORKFLOW", .right = true },
	{ .head = "MADE BY", .right = true },
	{ .head = "PATH", .flexible = true },
};

static void number_cell(struct table *t, struct json_object *o, const char *key)
{
	if (json_get_int(o, key) > 0)
		table_cellf(t, "%" PRId64, json_get_int(o, key));
	else
		table_cell(t, NULL);
}

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

static void row(struct table *t, struct json_object *o)
{
	struct buf b = BUF_INIT;

	table_cellf(t, "%" PRId64, json_get_int(o, "number"));
	table_cell(t, json_get_str(o, "state"));
	table_cell(t, json_get_str(o, "datatype"));
	add_size(&b, o);
	table_cell(t, b.len > 0 ? buf_str(&b) : NULL);
	number_cell(t, o, "workflow");
	number_cell(t, o, "producer");
	buf_reset(&b);
	add_path(&b, o);
	table_cell(t, buf_str(&b));
	buf_fini(&b);
}

static int run_list(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct buf path = BUF_INIT;
	struct list l = {
		.columns = columns,
		.n_columns = CLI_N(columns),
		.row = row,
		.id = "number",
		.none = "no such datasets",
		.max = o->all ? 0 : o->max,
	};
	int status;

	buf_adds(&path, "/api/v1/datasets");
	query_add_joined(&path, "state", (const char *const *)o->state);
	query_add(&path, "datatype", o->datatype);
	query_add(&path, "name", o->name);
	query_add(&path, "path", o->path);
	query_add(&path, "workflow", o->workflow);
	query_add(&path, "producer", o->producer);
	query_add(&path, "tag", o->tag);
	query_add(&path, "site", o->site);
	l.path = buf_str(&path);
	status = list_print(c, &l);
	buf_fini(&path);
	return status;
}

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
	dataset_path(&path, word, CLI_OPTS(c, struct opts)->site);
	query_add_i64(&path, "depth", LINEAGE_DEPTH);
	ok = call_get(c, c->arena, buf_str(&path), &answer, &e);
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
	.run = run_list,
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
