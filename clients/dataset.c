/* `sortie dataset register|adjust|delete`: files that jobs read and write. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "clients/body.h"
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/dataset.h"
#include "clients/each.h"
#include "clients/filepath.h"
#include "clients/last.h"
#include "clients/list.h"
#include "clients/query.h"
#include "clients/slurp.h"

#define FILE_MAX (1024 * 1024)

struct opts {
	struct cli_settings common;
	const char *name, *directory, *uri, *datatype, *tag, *comment;
	const char *size, *checksum, *state, *site, *project;
	bool again;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "name",
	  .kind = OPT_STR,
	  .offset = F(name),
	  .arg = "NAME",
	  .help = "Its name; the last part of the path by default." },
	{ .name = "directory",
	  .letter = 'd',
	  .kind = OPT_STR,
	  .offset = F(directory),
	  .arg = "DIR",
	  .help = "Its directory, when NAME has none." },
	{ .name = "uri",
	  .kind = OPT_STR,
	  .offset = F(uri),
	  .arg = "URI",
	  .help = "Where it is, when that is no path (root://host/file)." },
	{ .name = "datatype",
	  .letter = 'T',
	  .kind = OPT_STR,
	  .offset = F(datatype),
	  .arg = "TYPE",
	  .help = "Its kind, which `sortie datatype define` has made." },
	{ .name = "tag",
	  .kind = OPT_STR,
	  .offset = F(tag),
	  .arg = "TAG",
	  .help = "The name of the variable that jobs find its path in." },
	{ .name = "comment",
	  .kind = OPT_STR,
	  .offset = F(comment),
	  .arg = "TEXT",
	  .help = "What it is." },
	{ .name = "size",
	  .kind = OPT_STR,
	  .offset = F(size),
	  .arg = "BYTES",
	  .help = "Its size." },
	{ .name = "checksum",
	  .kind = OPT_STR,
	  .offset = F(checksum),
	  .arg = "SHA256",
	  .help = "Its SHA-256, in hexadecimal." },
	{ .name = "state",
	  .letter = 's',
	  .kind = OPT_STR,
	  .offset = F(state),
	  .arg = "STATE",
	  .help = "`ready` (the default of a new one), `declared`, or, of one "
		  "that is known, `missing`." },
	{ .name = "site",
	  .kind = OPT_STR,
	  .offset = F(site),
	  .arg = "SITE",
	  .help = "The site whose file it is; one path can be a file at each "
		  "site." },
	{ .name = "project",
	  .letter = 'p',
	  .kind = OPT_STR,
	  .offset = F(project),
	  .arg = "NAME",
	  .help = "The project it belongs to." },
	{ .name = "again",
	  .kind = OPT_FLAG,
	  .offset = F(again),
	  .help = "The file has changed: make a new version." },
};

static const struct cli_choice new_choices[] = {
	{ "state", "ready declared" },
	{ NULL, NULL },
};

static const struct cli_choice known_choices[] = {
	{ "state", "ready declared missing" },
	{ NULL, NULL },
};

/* What can be adjusted stands together in the table, and the site last. */
#define FIRST_ADJUSTED 3
#define N_ADJUSTED 7
#define SITE (FIRST_ADJUSTED + N_ADJUSTED - 1)

/* The members that the options give: what can change, and what cannot. */
static bool add_facts(struct buf *b, const struct opts *o, struct err *e)
{
	body_text(b, "datatype", o->datatype);
	body_text(b, "tag", o->tag);
	body_text(b, "comment", o->comment);
	body_text(b, "checksum", o->checksum);
	body_text(b, "state", o->state);
	return body_bytes(b, "size", o->size, e);
}

static bool add_options(struct buf *b, const struct opts *o, struct err *e)
{
	body_text(b, "name", o->name);
	body_text(b, "directory", o->directory);
	body_text(b, "uri", o->uri);
	body_text(b, "site", o->site);
	body_text(b, "project", o->project);
	return add_facts(b, o, e);
}

static bool send(struct cli *c, const char *method, const char *path,
		 const char *body, struct call_answer *answer, struct err *e)
{
	const struct call_request r = { .method = method,
					.path = path,
					.body = body };

	return call_send(c, c->arena, &r, answer, e);
}

/* path: NULL when it is not known here. */
static void tell_one(struct cli *c, struct json_object *o, const char *path)
{
	if (c->settings->quiet)
		printf("%" PRId64 "\n", json_get_int(o, "number"));
	else
		printf("dataset %" PRId64 " %s%s%s\n",
		       json_get_int(o, "number"),
		       json_get_bool(o, "created") ? "registered"
						   : "is registered already",
		       path != NULL ? ": " : "", path != NULL ? path : "");
}

static void note_number(struct cli *c, struct refs *made, struct json_object *o)
{
	int64_t number = json_get_int(o, "number");

	if (number > 0)
		refs_add(c->arena, made, number, number);
}

static void note_registered(struct cli *c, struct refs *made,
			    const struct call_answer *answer)
{
	struct json_object *items = json_get(answer->doc, "items");

	if (items == NULL || json_type(items) != JSON_ARRAY) {
		note_number(c, made, answer->doc);
		return;
	}
	for (size_t i = 0; i < json_len(items); i++)
		note_number(c, made, json_at(items, i));
}

static void tell_registered(struct cli *c, const struct call_answer *answer,
			    const char *path)
{
	struct json_object *items = json_get(answer->doc, "items");

	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer->text, answer->len);
		return;
	}
	if (items == NULL || json_type(items) != JSON_ARRAY) {
		tell_one(c, answer->doc, path);
		return;
	}
	for (size_t i = 0; i < json_len(items); i++)
		tell_one(c, json_at(items, i), NULL);
}

static const char *post_path(const struct opts *o)
{
	return o->again ? "/api/v1/datasets?version=new" : "/api/v1/datasets";
}

static bool register_path(struct cli *c, const char *word, struct refs *made,
			  struct err *e)
{
	struct opts o = *CLI_OPTS(c, struct opts);
	const char *slash, *where;
	struct call_answer answer;
	struct buf body = BUF_INIT;
	bool ok;

	if (strstr(word, "://") != NULL && o.uri == NULL)
		o.uri = word;
	else if (o.directory == NULL && o.uri == NULL &&
		 !filepath_resolve(c->arena, &word, e))
		return false;
	where = word;
	slash = strrchr(word, '/');
	if (slash != NULL && o.directory == NULL && o.uri == NULL) {
		o.directory = slash == word
				      ? "/"
				      : arena_strndup(c->arena, word,
						      (size_t)(slash - word));
		word = slash + 1;
	}
	if (o.name == NULL)
		o.name = slash != NULL && o.uri != NULL ? slash + 1 : word;
	buf_addc(&body, '{');
	ok = add_options(&body, &o, e);
	buf_addc(&body, '}');
	ok = ok && send(c, "POST", post_path(&o), buf_str(&body), &answer, e);
	buf_fini(&body);
	if (!ok)
		return false;
	note_registered(c, made, &answer);
	tell_registered(c, &answer, where);
	return true;
}

static bool register_file(struct cli *c, const char *word, struct refs *made,
			  struct err *e)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct call_answer answer;
	struct json_object *doc;
	struct buf b = BUF_INIT;
	bool ok = true;

	if (word[0] == '{' || word[0] == '[')
		buf_adds(&b, word);
	else
		ok = slurp_file(word, FILE_MAX, &b, e);
	if (ok && !json_parse(c->arena, buf_str(&b), b.len, &doc, e))
		ok = err_prefix(e, "%s",
				word[0] == '{' || word[0] == '[' ? "the dataset"
								 : word);
	ok = ok && send(c, "POST", post_path(o), buf_str(&b), &answer, e);
	buf_fini(&b);
	if (!ok)
		return false;
	note_registered(c, made, &answer);
	tell_registered(c, &answer, NULL);
	return true;
}

static bool is_document(const char *word)
{
	size_t n = strlen(word);

	return word[0] == '{' || word[0] == '[' || strcmp(word, "-") == 0 ||
	       (n > 5 && strcmp(word + n - 5, ".json") == 0);
}

static int run_register(struct cli *c)
{
	struct refs made = { 0 };
	struct err e = ERR_INIT;
	bool ok = true;

	for (size_t i = 0; ok && i < c->n_args; i++)
		ok = is_document(c->args[i])
			     ? register_file(c, c->args[i], &made, &e)
			     : register_path(c, c->args[i], &made, &e);
	refs_sort(&made);
	last_save(c, "dataset", &made);
	return ok ? CLI_OK : cli_fail(c, &e);
}

bool dataset_path(struct arena *a, struct buf *path, const char *word,
		  const char *site, struct err *e)
{
	if (strchr(word, '/') != NULL && strstr(word, "://") == NULL &&
	    !filepath_resolve(a, &word, e))
		return false;
	query_path(path, "/api/v1/datasets/", word);
	query_add(path, "site", site);
	return true;
}

/* What is done to each of the datasets. */
struct change {
	const char *method, *site, *body, *said;
};

static bool change(struct cli *c, const char *word, void *arg, struct err *e)
{
	const struct change *how = arg;
	struct call_answer answer;
	struct buf path = BUF_INIT;
	bool ok = dataset_path(c->arena, &path, word, how->site, e) &&
		  send(c, how->method, buf_str(&path), how->body, &answer, e);

	buf_fini(&path);
	if (ok && (c->settings->json || c->settings->ndjson) && answer.len > 0)
		list_raw(answer.text, answer.len);
	else if (ok)
		cli_say(c, "dataset %s %s", word, how->said);
	return ok;
}

static int run_adjust(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct change how = { "PATCH", o->site, NULL, "adjusted" };
	struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	int status;

	buf_addc(&body, '{');
	if (!add_facts(&body, o, &e))
		status = cli_misuse(c, "%s", e.text);
	else if (body.len == 1)
		status = cli_misuse(c,
				    "nothing is to be changed: give an option");
	else {
		buf_addc(&body, '}');
		how.body = buf_str(&body);
		status = each_named(c, "dataset", change, &how);
	}
	buf_fini(&body);
	return status;
}

static int run_delete(struct cli *c)
{
	struct change how = { "DELETE", CLI_OPTS(c, struct opts)->site, NULL,
			      "deleted" };

	return each_named(c, "dataset", change, &how);
}

const struct cli_command command_dataset_register = {
	.path = "dataset register",
	.args = "PATH...|URI...|FILE.json",
	.brief = "register files",
	.text = "A PATH from the root is taken as it stands, for so workflows "
		"call the file. Any other, and one with \"..\", is taken as it "
		"is found from here: its directory is resolved, links and "
		"all. With --directory nothing is. A file that is registered "
		"already stays as it is, unless --again makes a new version. "
		"A JSON file, or the text itself, holds an object with the "
		"names of the options as keys, or a list of them.\n\n"
		"Sortie does not look at the files: pilots do, when a job "
		"reads or writes one.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = new_choices,
	.min_args = 1,
	.max_args = -1,
	.run = run_register,
};

const struct cli_command command_dataset_adjust = {
	.path = "dataset adjust",
	.args = "DATASET...",
	.brief = "change what is known of files",
	.text = "DATASET is a number, a range of them, a UUID, a path, or "
		"@last.",
	.opts = opts + FIRST_ADJUSTED,
	.n_opts = N_ADJUSTED,
	.opts_size = sizeof(struct opts),
	.choices = known_choices,
	.min_args = 1,
	.max_args = -1,
	.run = run_adjust,
};

const struct cli_command command_dataset_delete = {
	.path = "dataset delete",
	.args = "DATASET...",
	.brief = "forget files",
	.text = "DATASET as for `sortie dataset adjust`. The files themselves stay. A dataset of a job that has not "
		"ended is refused.",
	.opts = opts + SITE,
	.n_opts = 1,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = -1,
	.run = run_delete,
};
