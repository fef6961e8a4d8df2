/* `sortie event add`: a note in the record of what happened, for operators and
 * their scripts. */
#include <stdio.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/list.h"

static int run(struct cli *c)
{
	struct call_request r = { .method = "POST",
				  .path = "/api/v1/events",
				  .once = true };
	struct call_answer answer;
	struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	bool ok;

	buf_addc(&body, '{');
	buf_json_kv_str(&body, "name", c->args[0]);
	buf_json_kv_str(&body, "text", c->args[1]);
	buf_addc(&body, '}');
	r.body = buf_str(&body);
	ok = call_send(c, c->arena, &r, &answer, &e);
	buf_fini(&body);
	if (!ok)
		return cli_fail(c, &e);
	if (c->settings->json || c->settings->ndjson)
		list_raw(answer.text, answer.len);
	else
		cli_say(c, "noted");
	return CLI_OK;
}

const struct cli_command command_event_add = {
	.path = "event add",
	.args = "NAME TEXT",
	.brief = "note what a service did",
	.text = "The note stands among the events: `sortie events --kind "
		"note` shows all notes.",
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
