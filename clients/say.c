/* How every command tells a person what went wrong, and with which exit status
 * it ends then. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "clients/cli.h"
#include "clients/usage.h"

static const struct {
	enum err_code code;
	enum cli_exit status;
} exits[] = {
	{ ERR_UNAUTHORIZED, CLI_DENIED },  { ERR_FORBIDDEN, CLI_DENIED },
	{ ERR_NOT_FOUND, CLI_NOT_FOUND },  { ERR_UNAVAILABLE, CLI_AWAY },
	{ ERR_OUTCOME_UNKNOWN, CLI_AWAY }, { ERR_TIMEOUT, CLI_AWAY },
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
