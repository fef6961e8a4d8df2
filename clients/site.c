/* `sortie site define|list|show|delete`: what pilots of a place have in
 * common. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/act.h"
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/facts.h"
#include "clients/list.h"
#include "clients/query.h"
#include "clients/slurp.h"

#define FILE_MAX (1024 * 1024)

static void count_cell(struct table *t, struct json_object *o, const char *key)
{
	struct json_object *v = json_get(o, key);

	table_cellf(t, "%zu",
		    v && json_type(v) == JSON_OBJECT ? json_len(v) : 0);
}

static const struct table_column sites_columns[] = {
	{ .head = "SITE", .flexible = true, .key = "name" },
	{ .head = "PILOTS", .right = true, .key = "pilots" },
	{ .head = "CYCLES", .right = true, .key = "pilotcycles" },
	{ .head = "PERIOD", .right = true, .key = "pilotperiod" },
	{ .head = "LIFE", .right = true, .key = "pilotlife" },
	{ .head = "ENV", .right = true, .key = "env", .cell = count_cell },
	{ .head = "COMMENT", .flexible = true, .key = "comment" },
};

static const struct list sites = {
	.path = "/api/v1/sites",
	.columns = sites_columns,
	.n_columns = CLI_N(sites_columns),
	.id = "name",
	.none = "no sites: `sortie site define FILE` makes one",
};

static bool print_member(const char *key, struct json_object *v, void *arg)
{
	if (strcmp(key, "env") == 0)
		facts_object(key, v);
	else
		facts_member(key, arg, key);
	return true;
}

static int run_show(struct cli *c)
{
	struct buf path = BUF_INIT;
	struct call_answer answer;
	struct err e = ERR_INIT;
	bool ok;

	query_path(&path, "/api/v1/sites/", c->args[0]);
	ok = call_get(c, c->arena, buf_str(&path), &answer, &e);
	buf_fini(&path);
	if (!ok)
		return cli_fail(c, &e);
	if (c->settings->json || c->settings->ndjson)
		list_raw(answer.text, answer.len);
	else if (c->settings->quiet)
		printf("%s\n", c->args[0]);
	else
		json_each(answer.doc, print_member, answer.doc);
	return CLI_OK;
}

static bool define_one(struct cli *c, struct json_object *site,
		       const char *source, struct err *e)
{
	const char *name = json_type(site) == JSON_OBJECT
				   ? json_get_str(site, "name")
				   : NULL;
	struct buf path = BUF_INIT, body = BUF_INIT;
	struct call_request r = { .method = "PUT" };
	struct call_answer answer;
	bool ok;

	if (name == NULL)
		return err_set(e, ERR_BAD_REQUEST,
			       "%s: a site is an object "
			       "with a \"name\"",
			       source);
	query_path(&path, "/api/v1/sites/", name);
	json_write(&body, site);
	r.path = buf_str(&path);
	r.body = body.data;
	r.body_len = body.len;
	ok = call_send(c, c->arena, &r, &answer, e);
	if (!ok)
		err_prefix(e, "%s", source);
	else if (c->settings->json || c->settings->ndjson)
		list_raw(answer.text, answer.len);
	else if (c->settings->quiet)
		printf("%s\n", name);
	else
		cli_say(c, "site %s defined", name);
	buf_fini(&path);
	buf_fini(&body);
	return ok;
}

/* A word is a site as text when it looks like an object or a list. */
static bool load(struct cli *c, const char *word, const char **source,
		 struct json_object **doc, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = true;

	*source = strcmp(word, "-") == 0 ? "standard input" : word;
	if (word[0] == '{' || word[0] == '[') {
		*source = "the site";
		buf_adds(&b, word);
	} else {
		ok = slurp_file(word, FILE_MAX, &b, e);
	}
	if (ok && !json_parse(c->arena, buf_str(&b), b.len, doc, e))
		ok = err_prefix(e, "%s", *source);
	buf_fini(&b);
	return ok;
}

static int run_define(struct cli *c)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < c->n_args; i++) {
		struct json_object *doc;
		const char *source;
		size_t n = 1;

		if (!load(c, c->args[i], &source, &doc, &e))
			return cli_fail(c, &e);
		if (json_type(doc) == JSON_ARRAY)
			n = json_len(doc);
		for (size_t k = 0; k < n; k++)
			if (!define_one(c,
					json_type(doc) == JSON_ARRAY
						? json_at(doc, k)
						: doc,
					source, &e))
				return cli_fail(c, &e);
	}
	return CLI_OK;
}

static int run_delete(struct cli *c)
{
	return act_delete(c, "/api/v1/sites/", "site", "deleted");
}

const struct cli_command command_site_list = {
	.path = "site list",
	.brief = "list sites",
	.list = &sites,
	.run = list_command,
};

const struct cli_command command_site_show = {
	.path = "site show",
	.args = "NAME",
	.brief = "show a site's definition",
	.min_args = 1,
	.max_args = 1,
	.run = run_show,
};

const struct cli_command command_site_define = {
	.path = "site define",
	.args = "FILE...|JSON",
	.brief = "define or redefine sites",
	.text = "FILE (- is standard input), or the text itself, holds an "
		"object, or a list of them: name, env, pilots, pilotcycles, "
		"pilotperiod, pilotlife, comment, and any option of "
		"sortie-pilot by its name.",
	.min_args = 1,
	.max_args = -1,
	.run = run_define,
};

const struct cli_command command_site_delete = {
	.path = "site delete",
	.args = "NAME...",
	.brief = "delete sites",
	.min_args = 1,
	.max_args = -1,
	.run = run_delete,
};
