/* `sortie dag get|show`: a stored graph as a file or as a picture. */
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/draw.h"
#include "clients/list.h"
#include "clients/query.h"

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

static const struct cli_choice get_choices[] = {
	{ "format", "graphml json dot svg" },
	{ NULL, NULL },
};

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
	struct err e = ERR_INIT;
	const char *format = o->format;
	struct dag *d;

	if (!fetch(c, &answer, &d, &e))
		return cli_fail(c, &e);
	if (format == NULL)
		format = d->graphml && !c->settings->json ? "graphml" : "json";
	draw_print(d, &draw, format, false);
	return CLI_OK;
}

static int run_show(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct dag_draw_options draw = { .title = c->args[0] };
	struct call_answer answer;
	struct err e = ERR_INIT;
	struct dag *d;

	if (!fetch(c, &answer, &d, &e))
		return cli_fail(c, &e);
	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer.text, answer.len);
		return CLI_OK;
	}
	draw_print(d, &draw, NULL, o->ascii);
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
	.choices = get_choices,
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
