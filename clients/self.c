/* `sortie whoami|version|help`: what this program is and for whom it acts. */
#include <stdio.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/facts.h"
#include "clients/list.h"
#include "clients/table.h"
#include "clients/usage.h"

static int run_whoami(struct cli *c)
{
	static const char *const members[] = {
		"owner", "role", "everybody", "projects", "version", "cluster",
	};
	struct call_answer answer;
	struct err e = ERR_INIT;

	if (!call_get(c, c->arena, "/api/v1/whoami", &answer, &e))
		return cli_fail(c, &e);
	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer.text, answer.len);
		return CLI_OK;
	}
	if (c->settings->quiet) {
		printf("%s\n", json_get_str(answer.doc, "owner"));
		return CLI_OK;
	}
	facts_text("server", call_url(c));
	for (size_t i = 0; i < CLI_N(members); i++)
		facts_member(members[i], answer.doc, members[i]);
	return CLI_OK;
}

static int run_version(struct cli *c)
{
	if (c->settings->json || c->settings->ndjson)
		puts("{\"version\":\"" PACKAGE_VERSION "\"}");
	else
		puts("sortie " PACKAGE_VERSION);
	return CLI_OK;
}

static int run_help(struct cli *c)
{
	int width = table_terminal_width(fileno(stdout));
	const struct cli_command *command;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n_used = 0;

	if (width == 0 || width > 100)
		width = 80;
	command = usage_find(c->args, c->n_args, &n_used);
	if (command != NULL) {
		usage_command(&b, command, width);
	} else if (c->n_args == 0 ||
		   (c->n_args == 1 && usage_is_group(c->args[0]))) {
		usage_group(&b, c->n_args ? c->args[0] : NULL, width);
	} else {
		usage_unknown(c->args, c->n_args, &e);
		return cli_misuse(c, "%s", e.text);
	}
	fputs(buf_str(&b), stdout);
	buf_fini(&b);
	return CLI_OK;
}

const struct cli_command command_whoami = {
	.path = "whoami",
	.brief = "tell whom the token stands for",
	.run = run_whoami,
};

const struct cli_command command_version = {
	.path = "version",
	.brief = "print the version of this program",
	.run = run_version,
};

const struct cli_command command_help = {
	.path = "help",
	.args = "[COMMAND]",
	.brief = "tell what there is, or more of one command",
	.max_args = 2,
	.run = run_help,
};
