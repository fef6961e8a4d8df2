/*
 * The command `sortie`: finds the subcommand that was asked for, fills its
 * options, runs it, and says clearly what went wrong when something did.
 */
#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clients/call.h"
#include "clients/cli.h"
#include "clients/settings.h"
#include "clients/table.h"
#include "clients/usage.h"

static const struct {
	enum err_code code;
	enum cli_exit status;
} exits[] = {
	{ ERR_UNAUTHORIZED, CLI_DENIED },
	{ ERR_FORBIDDEN, CLI_DENIED },
	{ ERR_NOT_FOUND, CLI_NOT_FOUND },
	{ ERR_UNAVAILABLE, CLI_AWAY },
	{ ERR_OUTCOME_UNKNOWN, CLI_AWAY },
	{ ERR_TIMEOUT, CLI_AWAY },
};

int cli_fail(const struct cli *c, const struct err *e)
{
	cli_note("%s", e->text);
	if (c->command != NULL && c->command->own_exit != 0)
		return c->command->own_exit;
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
		if (exits[i].code == e->code)
			return exits[i].status;
	return CLI_FAILED;
}

static void write_note(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0)));

static void write_note(const char *fmt, va_list ap)
{
	fflush(stdout);
	fputs("sortie: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int cli_misuse(const struct cli *c, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	write_note(fmt, ap);
	va_end(ap);
	if (c->command != NULL) {
		usage_line(&b, c->command);
		fprintf(stderr, "%s\n", buf_str(&b));
	} else {
		fputs("usage: sortie COMMAND [options] [arguments]\n", stderr);
	}
	buf_fini(&b);
	return CLI_USAGE;
}

void cli_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_note(fmt, ap);
	va_end(ap);
}

void cli_say(const struct cli *c, const char *fmt, ...)
{
	va_list ap;

	if (c->settings->quiet || c->settings->json || c->settings->ndjson)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

int cli_end(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno == EPIPE)
		return status ? status : CLI_FAILED;
	cli_note("cannot write to standard output: %s", strerror(errno));
	return status ? status : CLI_FAILED;
}

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

int main(int argc, char **argv)
{
	struct cli c = { .arena = arena_new() };
	struct err e = ERR_INIT;
	int status = CLI_USAGE;

	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		setlocale(LC_CTYPE, "");
	switch (settings_read(&c, argc, argv, &e)) {
	case SETTINGS_RUN:
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
