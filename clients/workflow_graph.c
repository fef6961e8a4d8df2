/* `sortie workflow graph`: a workflow as a picture, with the states of its jobs
 * and the files between them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/draw.h"
#include "clients/each.h"
#include "clients/list.h"
#include "clients/refs.h"
#include "clients/workflow.h"

struct opts {
	struct cli_settings common;
	const char *format;
	bool ascii;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
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

static const struct cli_choice choices[] = {
	{ "format", "dot svg" },
	{ NULL, NULL },
};

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

/* Edges by the names of their ends: files are told by these. */
struct link {
	const char *from, *to;
	struct dag_data *data;
};

struct link_file {
	const char *label, *path;
};

struct links {
	struct arena *arena;
	struct link *all;     /* by from and to */
	struct link *outside; /* those from noops, by to */
	size_t n, n_outside;
};

static int by_to(const void *x, const void *y)
{
	return strcmp(((const struct link *)x)->to,
		      ((const struct link *)y)->to);
}

static int by_ends(const void *x, const void *y)
{
	int order = strcmp(((const struct link *)x)->from,
			   ((const struct link *)y)->from);

	return order != 0 ? order : by_to(x, y);
}

static void find_links(struct links *l, const struct dag *d)
{
	l->all = ARENA_ARRAY(l->arena, struct link, d->n_edges + 1);
	l->outside = ARENA_ARRAY(l->arena, struct link, d->n_edges + 1);
	for (uint32_t i = 0; i < d->n_edges; i++) {
		const struct dag_edge *e = &d->edges[i];
		struct link link = { d->nodes[e->from].name,
				     d->nodes[e->to].name, &d->data[e->data] };

		l->all[l->n++] = link;
		if (d->nodes[e->from].noop)
			l->outside[l->n_outside++] = link;
	}
	if (l->n > 0)
		qsort(l->all, l->n, sizeof(*l->all), by_ends);
	if (l->n_outside > 0)
		qsort(l->outside, l->n_outside, sizeof(*l->outside), by_to);
}

/* "CAL, RAW": the tags of a file, or its name. */
static const char *file_label(struct arena *a, struct json_object *file)
{
	struct json_object *tags = json_get(file, "tags");
	const char *name = json_get_str(file, "name");
	struct buf b = BUF_INIT;

	for (size_t i = 0; tags != NULL && i < json_len(tags); i++)
		buf_addf(&b, "%s%s", i > 0 ? ", " : "",
			 json_str(json_at(tags, i)));
	if (b.len == 0)
		buf_adds(&b, name != NULL ? name : "");
	name = arena_strndup(a, buf_str(&b), b.len);
	buf_fini(&b);
	return name;
}

static const char *joined(struct arena *a, const char *list, const char *more)
{
	return list == NULL || *list == '\0'
		       ? more
		       : arena_printf(a, "%s, %s", list, more);
}

/* Puts the file on the edges of a sorted list that are as wanted; with single
 * only when there is but one. */
static void put_on(const struct links *l, struct link *list, size_t n,
		   int (*order)(const void *, const void *),
		   const struct link *wanted, const struct link_file *file,
		   bool single)
{
	struct link *at = bsearch(wanted, list, n, sizeof(*list), order), *end;

	if (at == NULL)
		return;
	for (end = at + 1; end < list + n && order(end, wanted) == 0;)
		end++;
	while (at > list && order(at - 1, wanted) == 0)
		at--;
	for (; at < end && (!single || end - at == 1); at++) {
		at->data->tag = joined(l->arena, at->data->tag, file->label);
		at->data->name = joined(l->arena, at->data->name, file->path);
	}
}

/* A file from outside has no maker: it comes with the noop in front of the job,
 * if that is one. */
static void put_file(const struct links *l, struct json_object *from,
		     const char *to, const struct link_file *file)
{
	struct link wanted = { NULL, to, NULL };

	if (from == NULL || json_len(from) == 0) {
		put_on(l, l->outside, l->n_outside, by_to, &wanted, file, true);
		return;
	}
	for (size_t i = 0; i < json_len(from); i++) {
		wanted.from = json_str(json_at(from, i));
		put_on(l, l->all, l->n, by_ends, &wanted, file, false);
	}
}

static void put_files(struct arena *a, const struct dag *d,
		      struct json_object *files)
{
	struct links links = { .arena = a };

	find_links(&links, d);
	for (size_t i = 0; i < json_len(files); i++) {
		struct json_object *o = json_at(files, i);
		struct json_object *to = json_get(o, "to");
		struct link_file file = { file_label(a, o),
					  json_get_str(o, "path") };

		if (file.path == NULL)
			file.path = file.label;
		for (size_t t = 0; to != NULL && t < json_len(to); t++)
			put_file(&links, json_get(o, "from"),
				 json_str(json_at(to, t)), &file);
	}
}

static bool read_graph(struct cli *c, const struct call_answer *answer,
		       struct dag **d, struct dag_draw_options *draw,
		       struct err *e)
{
	struct json_object *nodes = list_of(answer->doc, "nodes", e);
	struct json_object *edges = list_of(answer->doc, "edges", e);
	struct json_object *files = list_of(answer->doc, "datasets", e);
	struct buf b = BUF_INIT;
	bool ok;

	if (nodes == NULL || edges == NULL || files == NULL)
		return false;
	write_document(&b, nodes, edges);
	ok = dag_read(c->arena, buf_str(&b), b.len, "", 0, d, e);
	buf_fini(&b);
	if (!ok)
		return false;
	put_files(c->arena, *d, files);
	draw->states = states_of(c, *d, nodes);
	return true;
}

/* "film (workflow 7)" */
static const char *title_of(struct cli *c, struct json_object *graph)
{
	const char *name = json_get_str(graph, "name");
	int64_t number = json_get_int(graph, "workflow");

	return name != NULL && *name != '\0'
		       ? arena_printf(c->arena, "%s (workflow %" PRId64 ")",
				      name, number)
		       : arena_printf(c->arena, "workflow %" PRId64, number);
}

static int run_graph(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct dag_draw_options draw = { .title = NULL };
	struct call_answer answer;
	struct err e = ERR_INIT;
	const char *word;
	struct dag *d;
	int status;

	if (!each_one(c, "workflow", c->args[0], &word, &e))
		return refs_fail(c, &e);
	if (!workflow_get(c, word, "/graph", &answer, &status))
		return status;
	if (!read_graph(c, &answer, &d, &draw, &e))
		return cli_fail(c, &e);
	draw.title = title_of(c, answer.doc);
	draw_print(d, &draw, o->format, o->ascii);
	return CLI_OK;
}

const struct cli_command command_workflow_graph = {
	.path = "workflow graph",
	.args = "WORKFLOW",
	.brief = "draw a workflow with the states of its jobs",
	.text = "As `sortie dag show` draws dags. A mark in front of each "
		"job tells its state. WORKFLOW may be @last.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = choices,
	.min_args = 1,
	.max_args = 1,
	.run = run_graph,
};
