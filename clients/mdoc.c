/* `sortie __mdoc`: writes the manual's sections on commands and options from
 * their table, so that neither can be forgotten. */
#include <stdio.h>
#include <string.h>
#include "clients/commands.h"

/* Where a sentence ends inside a line: a full stop, a blank, a capital. */
static bool sentence_ends(const char *p)
{
	return p[0] == '.' && p[1] == ' ' && p[2] >= 'A' && p[2] <= 'Z';
}

/* Text as roff likes it: sentences begin lines, `words` are bold. */
static void add_text(struct buf *b, const char *text, size_t len)
{
	bool bold = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '`') {
			bold = !bold;
			buf_adds(b, bold ? "\\fB" : "\\fR");
		} else if (bold && text[i] == '-') {
			buf_adds(b, "\\-");
		} else if (sentence_ends(text + i)) {
			buf_adds(b, ".\n");
			i++;
		} else {
			buf_addc(b, text[i]);
		}
	}
	buf_addc(b, '\n');
}

static void add_paragraphs(struct buf *b, const char *text)
{
	while (text != NULL) {
		const char *end = strstr(text, "\n\n");

		add_text(b, text, end ? (size_t)(end - text) : strlen(text));
		text = end ? end + 2 : NULL;
		if (text != NULL)
			buf_adds(b, ".Pp\n");
	}
}

/* The list items of opt_mdoc, their text treated as above. */
static void add_options(struct buf *b, const struct opt *opts, size_t n)
{
	struct buf raw = BUF_INIT;
	const char *line;

	opt_mdoc(&raw, opts, n);
	line = buf_str(&raw);
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		if (line[0] == '.') {
			buf_add(b, line, len);
			buf_addc(b, '\n');
		} else {
			add_text(b, line, len);
		}
		line += len + (line[len] == '\n');
	}
	buf_fini(&raw);
}

static void add_args(struct buf *b, const char *args)
{
	buf_adds(b, ".Op Ar options\n");
	if (args == NULL)
		return;
	buf_adds(b, ".Ar");
	while (*args != '\0') {
		size_t len = strcspn(args, " ");

		buf_addf(b, " \"%.*s\"", (int)len, args);
		args += len;
		args += strspn(args, " ");
	}
	buf_addc(b, '\n');
}

static void add_section(struct buf *b, const struct cli_command *command)
{
	buf_addf(b, ".Ss sortie %s\n.Nm sortie %s\n", command->path,
		 command->path);
	add_args(b, command->args);
	buf_addf(b, ".Pp\n%c%s.\n", command->brief[0] - 'a' + 'A',
		 command->brief + 1);
	add_paragraphs(b, command->text);
	if (command->n_opts == 0)
		return;
	buf_adds(b, ".Bl -tag -width Ds\n");
	add_options(b, command->opts, command->n_opts);
	buf_adds(b, ".El\n");
}

static bool fits(const struct cli_command *command, const char *group)
{
	size_t len = strlen(group);

	if (command->hidden)
		return false;
	if (command->own_page)
		return strcmp(command->path, group) == 0;
	if (strcmp(group, "-") == 0)
		return strchr(command->path, ' ') == NULL;
	return strncmp(command->path, group, len) == 0 &&
	       command->path[len] == ' ';
}

static int run(struct cli *c)
{
	struct buf b = BUF_INIT;

	if (strcmp(c->args[0], "options") == 0)
		add_options(&b, cli_common_opts, cli_common_n);
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		if (fits(cli_commands[i], c->args[0]))
			add_section(&b, cli_commands[i]);
	fputs(buf_str(&b), stdout);
	buf_fini(&b);
	return CLI_OK;
}

const struct cli_command command_mdoc = {
	.path = "__mdoc",
	.args = "GROUP|-|options",
	.brief = "print the manual's sections",
	.text = "Of a group of commands, of all that belong to none (-), or "
		"of the options that every command takes (options).",
	.hidden = true,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
