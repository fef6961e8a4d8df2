/* `sortie pilot drain|kill|delete`: ending pilots, by number or by what they
 * have in common. */
#include <stdio.h>
#include <string.h>
#include "clients/act.h"
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "lib/id.h"

struct opts {
	struct cli_settings common;
	const char *host, *site, *state;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "host",
	  .letter = 'H',
	  .kind = OPT_STR,
	  .offset = F(host),
	  .arg = "HOST",
	  .help = "All pilots on this host." },
	{ .name = "site",
	  .kind = OPT_STR,
	  .offset = F(site),
	  .arg = "NAME",
	  .help = "All pilots of this site." },
	{ .name = "state",
	  .letter = 's',
	  .kind = OPT_STR,
	  .offset = F(state),
	  .arg = "STATE",
	  .help = "All pilots in this state; together with the others: that "
		  "fit all." },
};

static bool add_word(struct cli *c, const char *word, struct refs *refs,
		     struct err *e)
{
	struct call_answer answer;
	char path[80];
	int64_t n;

	if (!id_uuid_valid(word)) {
		if (refs_add_text(c->arena, refs, word, e))
			return true;
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" does not name "
			       "pilots: write numbers and ranges like 3-9,12, "
			       "or a UUID",
			       word);
	}
	snprintf(path, sizeof(path), "/api/v1/pilots/%s", word);
	if (!call_get(c, c->arena, path, &answer, e))
		return false;
	n = json_get_int(answer.doc, "number");
	refs_add(c->arena, refs, n, n);
	return true;
}

static int act(struct cli *c, const char *action, const char *verb)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	bool by_property = o->host || o->site || o->state;
	struct buf body = BUF_INIT, numbers = BUF_INIT;
	struct refs refs = { 0 };
	struct err e = ERR_INIT;
	int status;

	if (c->n_args > 0 && by_property)
		return cli_misuse(c, "name pilots, or choose them by --host, "
				     "--site and --state, not both");
	if (c->n_args == 0 && !by_property)
		return cli_misuse(c, "say which pilots: their numbers, or "
				     "--host, --site, --state");
	for (size_t i = 0; i < c->n_args; i++)
		if (!add_word(c, c->args[i], &refs, &e))
			return cli_fail(c, &e);
	refs_sort(&refs);
	buf_addc(&body, '{');
	buf_json_kv_str(&body, "action", action);
	if (c->n_args > 0) {
		refs_write(&numbers, &refs);
		buf_json_kv_str(&body, "pilots", buf_str(&numbers));
	}
	if (o->host != NULL)
		buf_json_kv_str(&body, "host", o->host);
	if (o->site != NULL)
		buf_json_kv_str(&body, "site", o->site);
	if (o->state != NULL)
		buf_json_kv_str(&body, "state", o->state);
	buf_addc(&body, '}');
	status = act_once(c, "/api/v1/pilots/actions", buf_str(&body), "pilot",
			  verb);
	buf_fini(&body);
	buf_fini(&numbers);
	return status;
}

static int run_drain(struct cli *c)
{
	return act(c, "drain", "told to drain");
}

static int run_kill(struct cli *c)
{
	return act(c, "kill", "killed");
}

static int run_delete(struct cli *c)
{
	return act(c, "delete", "deleted");
}

const struct cli_command command_pilot_drain = {
	.path = "pilot drain",
	.args = "[PILOT...]",
	.brief = "let pilots end what they run and leave",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = choice_pilot_states,
	.max_args = -1,
	.run = run_drain,
};

const struct cli_command command_pilot_kill = {
	.path = "pilot kill",
	.args = "[PILOT...]",
	.brief = "end pilots at once; their jobs run again elsewhere",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = choice_pilot_states,
	.max_args = -1,
	.run = run_kill,
};

const struct cli_command command_pilot_delete = {
	.path = "pilot delete",
	.args = "[PILOT...]",
	.brief = "forget pilots that have ended",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = choice_pilot_states,
	.max_args = -1,
	.run = run_delete,
};
