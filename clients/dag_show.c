/* `sortie dag get|show` and `sortie workflow graph`: a graph as a file or as a
 * picture. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/list.h"
#include "clients/query.h"
#include "clients/table.h"
#include "clients/workflow.h"
#include "lib/dag_draw.h"
#include "lib/graphml.h"

struct opts {
	struct cli_settings common;
	const char *format;
	int64_t version;
	bool ascii;
};

#define F(name) offsetof(struct opts, name)

static const struct opt get_opts[] = {
	{ .name = "format",
	  .letter = 'f',
	  .kind = OPT_STR,
	  .offset = F(format),
	  .arg = "FORMAT",
	  .help = "`graphml`, `json`, `dot` or `svg`; by default GraphML for "
		  "what came as GraphML, else JSON." },
	{ .name = "version",
	  .kind = OPT_INT,
	  .offset = F(version),
	  .max = INT32_MAX,
	  .arg = "N",
	  .help = "This version; the newest by default." },
};

static const struct opt show_opts[] = {
	{ .name = "version",
	  .kind = OPT_INT,
	  .offset = F(version),
	  .max = INT32_MAX,
	  .arg = "N",
	  .help = "This version; the newest by default." },
	{ .name = "ascii",
	  .kind = OPT_FLAG,
	  .offset = F(ascii),
	  .help = "Draw with plain letters." },
};

static const struct opt graph_opts[] = {
	{ .name = "format",
	  .letter = 'f',
	  .kind = OPT_STR,
	  .offset = F(format),
	  .arg = "FORMAT",
	  .help = "`dot` or `svg`, for other programs; a picture for the "
		  "terminal by default." },
	{ .name = "ascii",
	  .kind = OPT_FLAG,
	  .offset = F(ascii),
	  .help = "Draw with plain letters." },
};

static const struct {
	const char *name;
	bool dag_only;
	void (*write)(struct buf *b, const struct dag *d,
		      const struct dag_draw_options *o);
} formats[] = {
	{ "graphml", true, NULL },
	{ "json", true, NULL },
	{ "dot", false, dag_write_dot },
	{ "svg", false, dag_write_svg },
};

static void draw_options(const struct opts *o, struct dag_draw_options *out)
{
	const char *term = getenv("TERM");
	bool terminal = isatty(STDOUT_FILENO);

	out->width = (unsigned)table_terminal_width(STDOUT_FILENO);
	out->utf8 = !o->ascii;
	out->color = terminal && getenv("NO_COLOR") == NULL && term != NULL &&
		     strcmp(term, "dumb") != 0;
}

static bool format_ok(const struct cli *c, const char *name, bool dag,
		      struct err *e)
{
	for (size_t i = 0; i < CLI_N(formats); i++)
		if (strcmp(formats[i].name, name) == 0 &&
		    (dag || !formats[i].dag_only))
			return true;
	return err_set(e, ERR_BAD_REQUEST, "`sortie %s` knows no format \"%s\"",
		       c->command->path, name);
}

static void write_format(struct buf *b, const struct dag *d,
			 const struct dag_draw_options *draw,
			 const char *format)
{
	if (strcmp(format, "graphml") == 0)
		graphml_write(b, d);
	else if (strcmp(format, "json") == 0)
		dag_write_json(b, d);
	for (size_t i = 0; i < CLI_N(formats); i++)
		if (formats[i].write != NULL &&
		    strcmp(formats[i].name, format) == 0)
			formats[i].write(b, d, draw);
	if (b->len > 0 && b->data[b->len - 1] != '\n')
		buf_addc(b, '\n');
}

static bool fetch(struct cli *c, struct call_answer *answer, struct dag **d,
		  struct err *e)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct buf path = BUF_INIT;
	bool ok;

	query_path(&path, "/api/v1/dags/", c->args[0]);
	if (o->version > 0)
		query_add_i64(&path, "version", o->version);
	ok = call_get(c, c->arena, buf_str(&path), answer, e);
	buf_fini(&path);
	return ok && dag_read(c->arena, answer->text, answer->len, "", 0, d, e);
}

static int run_get(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct dag_draw_options draw = { .title = c->args[0] };
	struct call_answer answer;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	const char *format = o->format;
	struct dag *d;

	if ((format != NULL && !format_ok(c, format, true, &e)) ||
	    !fetch(c, &answer, &d, &e))
		return cli_fail(c, &e);
	if (format == NULL)
		format = d->graphml && !c->settings->json ? "graphml" : "json";
	write_format(&b, d, &draw, format);
	fwrite(b.data, 1, b.len, stdout);
	buf_fini(&b);
	return CLI_OK;
}

static int run_show(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct dag_draw_options draw = { .title = c->args[0] };
	struct call_answer answer;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct dag *d;

	if (!fetch(c, &answer, &d, &e))
		return cli_fail(c, &e);
	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer.text, answer.len);
		return CLI_OK;
	}
	draw_options(o, &draw);
	dag_draw(&b, d, &draw);
	fwrite(b.data, 1, b.len, stdout);
	buf_fini(&b);
	return CLI_OK;
}

/* Appends the graph of a workflow as a document of bare jobs. */
static void write_document(struct buf *b, struct json_object *nodes,
			   struct json_object *edges)
{
	buf_adds(b, "{\"jobs\":{");
	for (size_t i = 0; i < json_len(nodes); i++) {
		struct json_object *node = json_at(nodes, i);

		buf_json_key(b, json_get_str(node, "name"));
		buf_adds(b, json_get_bool(node, "noop") ? "{\"noop\":true}"
							: "{}");
	}
	buf_adds(b, "},\"datasets\":[");
	for (size_t i = 0; i < json_len(edges); i++) {
		struct json_object *edge = json_at(edges, i);

		if (i > 0)
			buf_addc(b, ',');
		buf_addc(b, '{');
		buf_json_kv_str(b, "from", json_get_str(edge, "from"));
		buf_json_kv_str(b, "to", json_get_str(edge, "to"));
		buf_json_kv_str(b, "on", json_get_str(edge, "on"));
		buf_addc(b, '}');
	}
	buf_adds(b, "]}");
}

static struct json_object *list_of(struct json_object *doc, const char *key,
				   struct err *e)
{
	struct json_object *list = json_get(doc, key);

	if (list != NULL && json_type(list) == JSON_ARRAY)
		return list;
	(void)err_set(e, ERR_INTERNAL, "the server's answer has no \"%s\"",
		      key);
	return NULL;
}

/* The states of the graph's nodes, in the order of the dag's. */
static const char **states_of(struct cli *c, const struct dag *d,
			      struct json_object *nodes)
{
	const char **states = ARENA_ARRAY(c->arena, const char *, d->n_nodes);

	for (size_t i = 0; i < json_len(nodes); i++) {
		struct json_object *node = json_at(nodes, i);
		uint32_t at = dag_find(d, json_get_str(node, "name"));

		if (at != DAG_NONE)
			states[at] = json_get_str(node, "state");
	}
	return states;
}

static bool read_graph(struct cli *c, const struct call_answer *answer,
		       struct dag **d, struct dag_draw_options *draw,
		       struct err *e)
{
	struct json_object *nodes = list_of(answer->doc, "nodes", e);
	struct json_object *edges = list_of(answer->doc, "edges", e);
	struct buf b = BUF_INIT;
	bool ok;

	if (nodes == NULL || edges == NULL)
		return false;
	write_document(&b, nodes, edges);
	ok = dag_read(c->arena, buf_str(&b), b.len, "", 0, d, e);
	buf_fini(&b);
	if (!ok)
		return false;
	draw->states = states_of(c, *d, nodes);
	return true;
}

static int run_graph(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct dag_draw_options draw = {
		.title = arena_printf(c->arena, "workflow %s", c->args[0])
	};
	struct buf b = BUF_INIT, path = BUF_INIT;
	struct call_answer answer;
	struct err e = ERR_INIT;
	struct dag *d;
	bool ok;

	if (o->format != NULL && !format_ok(c, o->format, false, &e))
		return cli_fail(c, &e);
	workflow_path(&path, c->args[0], "/graph");
	ok = call_get(c, c->arena, buf_str(&path), &answer, &e);
	buf_fini(&path);
	if (!ok)
		return cli_fail(c, &e);
	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer.text, answer.len);
		return CLI_OK;
	}
	if (!read_graph(c, &answer, &d, &draw, &e))
		return cli_fail(c, &e);
	draw_options(o, &draw);
	if (o->format != NULL)
		write_format(&b, d, &draw, o->format);
	else
		dag_draw(&b, d, &draw);
	fwrite(b.data, 1, b.len, stdout);
	buf_fini(&b);
	return CLI_OK;
}

const struct cli_command command_dag_get = {
	.path = "dag get",
	.args = "DAG",
	.brief = "write a dag as GraphML, JSON or a picture",
	.text = "What went in comes out, attributes included.",
	.opts = get_opts,
	.n_opts = CLI_N(get_opts),
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run_get,
};

const struct cli_command command_dag_show = {
	.path = "dag show",
	.args = "DAG",
	.brief = "draw a dag",
	.text = "Layer under layer: each job in a box with the jobs that it "
		"comes after. A dot marks a noop.",
	.opts = show_opts,
	.n_opts = CLI_N(show_opts),
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run_show,
};

const struct cli_command command_workflow_graph = {
	.path = "workflow graph",
	.args = "WORKFLOW",
	.brief = "draw a workflow with the states of its jobs",
	.text = "As `sortie dag show` draws dags. A mark in front of each "
		"job tells its state.",
	.opts = graph_opts,
	.n_opts = CLI_N(graph_opts),
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run_graph,
};
