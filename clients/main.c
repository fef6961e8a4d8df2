/*
 * The command `sortie`: finds the subcommand that was asked for, fills its
 * options, runs it, and says clearly what went wrong when something did.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "clients/call.h"
#include "clients/cli.h"
#include "clients/settings.h"
#include "clients/table.h"
#include "clients/usage.h"

static int print_help(const struct cli *c)
{
	struct buf b = BUF_INIT;
	int width = table_terminal_width(STDOUT_FILENO);
	bool asked = c->command != NULL || c->settings->help || c->n_args > 1;

	if (width == 0 || width > 100)
		width = 80;
	if (c->command != NULL)
		usage_command(&b, c->command, width);
	else
		usage_group(&b, c->n_args > 0 ? c->args[0] : NULL, width);
	fputs(buf_str(&b), asked ? stdout : stderr);
	buf_fini(&b);
	return asked ? cli_end(CLI_OK) : CLI_USAGE;
}

static int run_command(struct cli *c)
{
	const struct cli_command *command = c->command;

	if (c->n_args < (size_t)command->min_args)
		return cli_misuse(c, "`sortie %s` needs %s", command->path,
				  command->args);
	if (command->max_args >= 0 && c->n_args > (size_t)command->max_args)
		return cli_misuse(c, "`sortie %s` does not take \"%s\"",
				  command->path, c->args[command->max_args]);
	return cli_end(command->run(c));
}

/* The token is in neither a core dump nor what /proc shows of a process, which
 * is what its memory holds, nor in what is started from here. */
static void hide_token(const struct cli *c, int argc, char **argv)
{
	const char *token = c->settings->token;
	char *env = getenv("SORTIE_TOKEN");

	if (env != NULL) {
		explicit_bzero(env, strlen(env));
		unsetenv("SORTIE_TOKEN");
	}
	for (int i = 1; token != NULL && token[0] != '\0' && i < argc; i++) {
		size_t len = strlen(argv[i]), n = strlen(token);

		if (len >= n && strcmp(argv[i] + len - n, token) == 0)
			explicit_bzero(argv[i] + len - n, n);
	}
}

int main(int argc, char **argv)
{
	struct cli c = { .arena = arena_new() };
	struct err e = ERR_INIT;
	int status = CLI_USAGE;

	(void)prctl(PR_SET_DUMPABLE, 0);
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		setlocale(LC_CTYPE, "");
	switch (settings_read(&c, argc, argv, &e)) {
	case SETTINGS_RUN:
		hide_token(&c, argc, argv);
		status = run_command(&c);
		break;
	case SETTINGS_HELP:
		status = print_help(&c);
		break;
	case SETTINGS_BAD:
		status = cli_misuse(&c, "%s", e.text);
		break;
	}
	call_close(c.call);
	arena_free(c.arena);
	return status;
}
