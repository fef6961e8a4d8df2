/* `sortie datatype define|list|delete`: kinds of files, and what the names of
 * files of each kind end in. */
#include <stdio.h>
#include <string.h>
#include "clients/act.h"
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/list.h"
#include "clients/query.h"
#include "clients/slurp.h"
#include "lib/json.h"

#define FILE_MAX (1024 * 1024)

struct opts {
	struct cli_settings common;
	const char *ext, *comment;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "ext",
	  .letter = 'x',
	  .kind = OPT_STR,
	  .offset = F(ext),
	  .arg = ".EXT",
	  .help = "What names of such files end in, with its dot." },
	{ .name = "comment",
	  .kind = OPT_STR,
	  .offset = F(comment),
	  .arg = "TEXT",
	  .help = "What it is." },
};

static const struct table_column datatypes_columns[] = {
	{ .head = "DATATYPE", .flexible = true, .key = "name" },
	{ .head = "EXT", .key = "ext" },
	{ .head = "OWNER", .flexible = true, .key = "owner" },
	{ .head = "COMMENT", .flexible = true, .key = "comment" },
};

static const struct list datatypes = {
	.path = "/api/v1/datatypes",
	.columns = datatypes_columns,
	.n_columns = CLI_N(datatypes_columns),
	.id = "name",
	.none = "no datatypes: `sortie datatype define NAME --ext .EXT` makes one",
};

static bool put(struct cli *c, const char *name, const char *ext,
		const char *comment, struct err *e)
{
	struct buf path = BUF_INIT, body = BUF_INIT;
	struct call_request r = { .method = "PUT" };
	struct call_answer answer;
	bool ok;

	query_path(&path, "/api/v1/datatypes/", name);
	buf_addc(&body, '{');
	buf_json_kv_str(&body, "ext", ext != NULL ? ext : "");
	buf_json_kv_str(&body, "comment", comment != NULL ? comment : "");
	buf_addc(&body, '}');
	r.path = buf_str(&path);
	r.body = buf_str(&body);
	ok = call_send(c, c->arena, &r, &answer, e);
	buf_fini(&path);
	buf_fini(&body);
	if (!ok)
		return false;
	if (c->settings->json || c->settings->ndjson)
		list_raw(answer.text, answer.len);
	else if (c->settings->quiet)
		printf("%s\n", name);
	else
		cli_say(c, "datatype %s defined", name);
	return true;
}

static bool put_object(struct cli *c, struct json_object *o, const char *source,
		       struct err *e)
{
	const char *name =
		json_type(o) == JSON_OBJECT ? json_get_str(o, "name") : NULL;

	if (name == NULL)
		return err_set(e, ERR_BAD_REQUEST,
			       "%s: a datatype is an object with a \"name\"",
			       source);
	return put(c, name, json_get_str(o, "ext"), json_get_str(o, "comment"),
		   e) ||
	       err_prefix(e, "%s", source);
}

/* As p3s has them in files: {"name":"TXT","ext":".txt","comment":"..."}. */
static bool put_text(struct cli *c, const char *word, struct err *e)
{
	const char *source =
		word[0] == '{' || word[0] == '[' ? "the datatype" : word;
	struct json_object *doc;
	struct buf b = BUF_INIT;
	bool ok = true;

	if (source != word)
		buf_adds(&b, word);
	else
		ok = slurp_file(word, FILE_MAX, &b, e);
	if (ok && !json_parse(c->arena, buf_str(&b), b.len, &doc, e))
		ok = err_prefix(e, "%s", source);
	buf_fini(&b);
	if (!ok)
		return false;
	if (json_type(doc) != JSON_ARRAY)
		return put_object(c, doc, source, e);
	for (size_t i = 0; ok && i < json_len(doc); i++)
		ok = put_object(c, json_at(doc, i), source, e);
	return ok;
}

static bool is_file(const char *word)
{
	size_t n = strlen(word);

	return word[0] == '{' || word[0] == '[' || strcmp(word, "-") == 0 ||
	       (n > 5 && strcmp(word + n - 5, ".json") == 0);
}

static int run_define(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct err e = ERR_INIT;
	bool ok = is_file(c->args[0])
			  ? put_text(c, c->args[0], &e)
			  : put(c, c->args[0], o->ext, o->comment, &e);

	return ok ? CLI_OK : cli_fail(c, &e);
}

static int run_delete(struct cli *c)
{
	return act_delete(c, "/api/v1/datatypes/", "datatype", "deleted");
}

const struct cli_command command_datatype_define = {
	.path = "datatype define",
	.args = "NAME|FILE.json|JSON",
	.brief = "define or redefine a kind of file",
	.text = "A file, or the text itself, holds an object with name, ext "
		"and comment, or a list of them.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run_define,
};

const struct cli_command command_datatype_list = {
	.path = "datatype list",
	.brief = "list kinds of files",
	.list = &datatypes,
	.run = list_command,
};

const struct cli_command command_datatype_delete = {
	.path = "datatype delete",
	.args = "NAME...",
	.brief = "delete kinds of files",
	.min_args = 1,
	.max_args = -1,
	.run = run_delete,
};
