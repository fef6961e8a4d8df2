/* `sortie token create|list|revoke`: who may talk to the server. */
#include <stdio.h>
#include "clients/act.h"
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/list.h"

struct opts {
	struct cli_settings common;
	const char *name, *role, *owner;
	const char **project;
	bool everybody;
	int64_t expires_s;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "name",
	  .letter = 'n',
	  .kind = OPT_STR,
	  .offset = F(name),
	  .arg = "TEXT",
	  .help = "What the list of tokens calls it." },
	{ .name = "role",
	  .letter = 'r',
	  .kind = OPT_STR,
	  .offset = F(role),
	  .def = "user",
	  .arg = "ROLE",
	  .help = "`user`, `reader` (reads only), `join` (pilots), or "
		  "`admin`." },
	{ .name = "owner",
	  .letter = 'o',
	  .kind = OPT_STR,
	  .offset = F(owner),
	  .arg = "NAME",
	  .help = "The user that it stands for. Default: yourself." },
	{ .name = "project",
	  .letter = 'p',
	  .kind = OPT_LIST,
	  .offset = F(project),
	  .arg = "NAME",
	  .help = "It sees and makes only jobs of these projects." },
	{ .name = "everybody",
	  .kind = OPT_FLAG,
	  .offset = F(everybody),
	  .help = "A join token whose pilots take everybody's jobs, or a "
		  "reader's that sees everybody's: for a shift or a screen on "
		  "the wall. What jobs of others print stays hidden." },
	{ .name = "expires",
	  .kind = OPT_SECONDS,
	  .offset = F(expires_s),
	  .max = INT64_C(1000000000),
	  .arg = "TIME",
	  .help = "It ends after TIME (\"30 d\"). Default: never." },
};

static const struct cli_choice choices[] = {
	{ "role", "user reader join admin" },
	{ NULL, NULL },
};

static void write_body(struct buf *b, const struct opts *o)
{
	buf_addc(b, '{');
	buf_json_kv_str(b, "role", o->role);
	if (o->name != NULL)
		buf_json_kv_str(b, "name", o->name);
	if (o->owner != NULL)
		buf_json_kv_str(b, "owner", o->owner);
	if (o->project != NULL && o->project[0] != NULL) {
		buf_json_key(b, "projects");
		buf_addc(b, '[');
		for (size_t i = 0; o->project[i] != NULL; i++) {
			buf_json_comma(b);
			buf_json_str(b, o->project[i]);
		}
		buf_addc(b, ']');
	}
	if (o->everybody)
		buf_json_kv_bool(b, "everybody", true);
	if (o->expires_s > 0)
		buf_json_kv_i64(b, "expires_s", o->expires_s);
	buf_addc(b, '}');
}

static int run_create(struct cli *c)
{
	struct buf body = BUF_INIT;
	struct call_request r = {
		/* A repeat would leave a token that nobody knows. */
		.method = "POST",
		.path = "/api/v1/tokens",
		.once = true
	};
	struct call_answer answer;
	struct err e = ERR_INIT;
	bool ok;

	write_body(&body, CLI_OPTS(c, struct opts));
	r.body = buf_str(&body);
	ok = call_send(c, c->arena, &r, &answer, &e);
	buf_fini(&body);
	if (!ok)
		return cli_fail(c, &e);
	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer.text, answer.len);
		return CLI_OK;
	}
	printf("%s\n", json_get_str(answer.doc, "token"));
	if (!c->settings->quiet) {
		fflush(stdout);
		cli_note("keep it: it is shown only now (id %s)",
			 json_get_str(answer.doc, "id"));
	}
	return CLI_OK;
}

/* With a star when it is for everybody's jobs. */
static void role_cell(struct table *t, struct json_object *o, const char *key)
{
	table_cellf(t, "%s%s", json_get_str(o, key),
		    json_get_bool(o, "everybody") ? "*" : "");
}

static const struct table_column tokens_columns[] = {
	{ .head = "ID", .key = "id" },
	{ .head = "NAME", .flexible = true, .key = "name" },
	{ .head = "ROLE", .key = "role", .cell = role_cell },
	{ .head = "OWNER", .flexible = true, .key = "owner" },
	{ .head = "PROJECTS",
	  .flexible = true,
	  .key = "projects",
	  .cell = list_words },
	{ .head = "AGE", .right = true, .key = "created_at", .cell = list_age },
	{ .head = "EXPIRES", .key = "expires_at", .cell = list_time },
};

static const struct list tokens = {
	.path = "/api/v1/tokens",
	.columns = tokens_columns,
	.n_columns = CLI_N(tokens_columns),
	.id = "id",
	.none = "no tokens",
};

static int run_revoke(struct cli *c)
{
	return act_delete(c, "/api/v1/tokens/", "token", "revoked");
}

const struct cli_command command_token_create = {
	.path = "token create",
	.brief = "make a token and print it",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = choices,
	.run = run_create,
};

const struct cli_command command_token_list = {
	.path = "token list",
	.brief = "list tokens (never their secrets)",
	.text = "A star behind a role marks tokens for everybody's jobs.",
	.list = &tokens,
	.run = list_command,
};

const struct cli_command command_token_revoke = {
	.path = "token revoke",
	.args = "ID...",
	.brief = "end tokens at once",
	.min_args = 1,
	.max_args = -1,
	.run = run_revoke,
};
