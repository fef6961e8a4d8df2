/* `sortie owner`: how much of the service one owner may have. */
#include <string.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/list.h"
#include "clients/query.h"
#include "lib/units.h"

struct owner_opts {
	struct cli_settings common;
	const char *max_queued, *max_rate, *max_stored;
};

static const struct opt owner_opts[] = {
	{ .name = "max-queued",
	  .kind = OPT_STR,
	  .offset = offsetof(struct owner_opts, max_queued),
	  .arg = "N",
	  .help = "At most N jobs that have not ended." },
	{ .name = "max-rate",
	  .kind = OPT_STR,
	  .offset = offsetof(struct owner_opts, max_rate),
	  .arg = "N",
	  .help = "At most N calls a second to a server." },
	{ .name = "max-stored",
	  .kind = OPT_STR,
	  .offset = offsetof(struct owner_opts, max_stored),
	  .arg = "SIZE",
	  .help = "At most so many bytes of files that jobs send, and of dags." },
};

static const struct table_column columns[] = {
	{ .head = "OWNER", .flexible = true },
	{ .head = "QUEUED", .right = true },
	{ .head = "MAX", .right = true },
	{ .head = "CALLS/S", .right = true },
	{ .head = "STORED", .right = true },
	{ .head = "MAX", .right = true },
};

static void add_bytes(struct table *t, struct json_object *o, const char *key)
{
	struct json_object *v = json_get(o, key);
	struct buf b = BUF_INIT;

	if (v != NULL && json_type(v) == JSON_INT)
		units_format_bytes(&b, json_int(v));
	table_cell(t, b.len > 0 ? buf_str(&b) : NULL);
	buf_fini(&b);
}

static void row(struct table *t, struct json_object *o)
{
	list_cell(t, o, "name");
	list_cell(t, o, "queued");
	list_cell(t, o, "max_queued");
	list_cell(t, o, "max_rate");
	add_bytes(t, o, "stored");
	add_bytes(t, o, "max_stored");
}

static int run_list(struct cli *c)
{
	const struct list l = { .path = "/api/v1/owners",
				.columns = columns,
				.n_columns = CLI_N(columns),
				.row = row,
				.id = "name",
				.none = "no owners yet: tokens bring them" };

	return list_print(c, &l);
}

/* "key":N, or "key":null for `none`. */
static bool add_limit(struct buf *b, const char *key, const char *text,
		      bool bytes, struct err *e)
{
	int64_t n;

	if (text == NULL)
		return true;
	if (strcmp(text, "none") == 0) {
		buf_json_kv_raw(b, key, "null");
		return true;
	}
	if (bytes ? !units_parse_bytes(text, &n, e)
		  : !units_parse_i64(text, 0, INT64_MAX, &n, e))
		return err_prefix(e, "%s takes a number or none", key);
	buf_json_kv_i64(b, key, n);
	return true;
}

static int send(struct cli *c, const char *body)
{
	struct buf path = BUF_INIT;
	struct call_request r = { .method = "PUT", .body = body };
	struct call_answer answer;
	struct err e = ERR_INIT;
	bool ok;

	query_path(&path, "/api/v1/owners/", c->args[0]);
	r.path = buf_str(&path);
	ok = call_send(c, c->arena, &r, &answer, &e);
	buf_fini(&path);
	if (!ok)
		return cli_fail(c, &e);
	if (c->settings->json || c->settings->ndjson)
		list_raw(answer.text, answer.len);
	else
		cli_say(c, "%s set", c->args[0]);
	return CLI_OK;
}

static int run_set(struct cli *c)
{
	const struct owner_opts *o = CLI_OPTS(c, struct owner_opts);
	struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	int status;

	if (o->max_queued == NULL && o->max_rate == NULL &&
	    o->max_stored == NULL)
		return cli_misuse(c, "say what to set: --max-queued, "
				     "--max-rate or --max-stored");
	buf_addc(&body, '{');
	if (add_limit(&body, "max_queued", o->max_queued, false, &e) &&
	    add_limit(&body, "max_rate", o->max_rate, false, &e) &&
	    add_limit(&body, "max_stored", o->max_stored, true, &e)) {
		buf_addc(&body, '}');
		status = send(c, buf_str(&body));
	} else {
		status = cli_misuse(c, "%s", e.text);
	}
	buf_fini(&body);
	return status;
}

const struct cli_command command_owner_list = {
	.path = "owner list",
	.brief = "list owners, what they have and what they may have",
	.run = run_list,
};

const struct cli_command command_owner_set = {
	.path = "owner set",
	.args = "NAME",
	.brief = "set how much of the service an owner may have",
	.text = "`none` lifts a limit. The name `*` stands for everybody who "
		"has no limit of their own.",
	.opts = owner_opts,
	.n_opts = CLI_N(owner_opts),
	.opts_size = sizeof(struct owner_opts),
	.min_args = 1,
	.max_args = 1,
	.run = run_set,
};
