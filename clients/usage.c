/*
 * Help texts, usage lines and "did you mean", all made from the table of
 * commands, so that they cannot differ from what the parser accepts.
 */
#include "clients/usage.h"

#include <stdio.h>
#include <string.h>
#include "lib/nearest.h"

void usage_line(struct buf *b, const struct cli_command *command)
{
	buf_addf(b, "usage: sortie %s [options]", command->path);
	if (command->args != NULL)
		buf_addf(b, " %s", command->args);
}

static void add_indent(struct buf *b, int n)
{
	buf_addf(b, "%*s", n, "");
}

/* What stands between backquotes is not broken. */
static size_t word_len(const char *p, size_t len)
{
	bool quoted = false;
	size_t n = 0;

	for (; n < len && (quoted || (p[n] != ' ' && p[n] != '\n')); n++)
		if (p[n] == '`')
			quoted = !quoted;
	return n;
}

static void wrap_paragraph(struct buf *b, const char *p, size_t len, int indent,
			   int width)
{
	int column = 0;

	for (size_t i = 0; i < len;) {
		size_t word = word_len(p + i, len - i);

		if (column > 0 && column + 1 + (int)word > width) {
			buf_addc(b, '\n');
			column = 0;
		}
		if (column == 0) {
			add_indent(b, indent);
			column = indent;
		} else if (word > 0) {
			buf_addc(b, ' ');
			column++;
		}
		buf_add(b, p + i, word);
		column += (int)word;
		i += word;
		while (i < len && (p[i] == ' ' || p[i] == '\n'))
			i++;
	}
	buf_addc(b, '\n');
}

void usage_wrap(struct buf *b, const char *text, int indent, int width)
{
	while (*text != '\0') {
		const char *end = strstr(text, "\n\n");
		size_t len = end ? (size_t)(end - text) : strlen(text);

		wrap_paragraph(b, text, len, indent, width);
		text += len;
		if (end == NULL)
			return;
		buf_addc(b, '\n');
		text += strspn(text, "\n");
	}
}

void usage_command(struct buf *b, const struct cli_command *command, int width)
{
	usage_line(b, command);
	buf_addf(b, "\n\n%s\n", command->brief);
	if (command->text != NULL) {
		buf_addc(b, '\n');
		usage_wrap(b, command->text, 0, width);
	}
	if (command->n_opts > 0) {
		buf_adds(b, "\nOptions:\n");
		opt_help(b, command->opts, command->n_opts, width);
	}
	buf_adds(b, "\nOptions of every command:\n");
	opt_help(b, cli_common_opts, cli_common_n, width);
}

static bool in_group(const char *path, const char *group)
{
	size_t len = strlen(group);

	return strncmp(path, group, len) == 0 &&
	       (path[len] == ' ' || path[len] == '\0');
}

void usage_group(struct buf *b, const char *group, int width)
{
	const char *args = group == NULL           ? "COMMAND"
			   : usage_is_group(group) ? "COMMAND"
						   : "";

	buf_addf(b, "usage: sortie %s%s%s [options] [arguments]\n\n",
		 group ? group : "", group ? " " : "", args);
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		const struct cli_command *c = cli_commands[i];

		if (c->hidden || (group != NULL && !in_group(c->path, group)))
			continue;
		buf_addf(b, "  %-16s  %s\n", c->path, c->brief);
	}
	buf_addc(b, '\n');
	usage_wrap(b,
		   "`sortie help COMMAND` tells more of one; sortie(1) is "
		   "the manual.",
		   0, width);
	if (group == NULL)
		usage_wrap(b,
			   "A first job: `sortie job run -- echo hello`. "
			   "A server to try it on: `sortied --dev`.",
			   0, width);
}

const struct cli_command *usage_find(char *const *words, size_t n,
				     size_t *n_used)
{
	char two[128];

	if (n == 0)
		return NULL;
	two[0] = '\0';
	if (n > 1)
		snprintf(two, sizeof(two), "%s %s", words[0], words[1]);
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		const struct cli_command *c = cli_commands[i];

		if (strcmp(c->path, words[0]) == 0) {
			*n_used = 1;
			return c;
		}
		if (two[0] != '\0' && strcmp(c->path, two) == 0) {
			*n_used = 2;
			return c;
		}
	}
	return NULL;
}

bool usage_is_group(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; cli_commands[i] != NULL; i++)
		if (strncmp(cli_commands[i]->path, word, len) == 0 &&
		    cli_commands[i]->path[len] == ' ')
			return true;
	return false;
}

/* "sortie submit" most likely means the group's verb, so a lone word is
 * compared with the verbs as well. */
static const char *nearest_command(const char *word, const char *both)
{
	struct nearest near;

	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		const char *path = cli_commands[i]->path;
		const char *verb = strchr(path, ' ');

		if (!cli_commands[i]->hidden && verb != NULL &&
		    strcmp(verb + 1, word) == 0)
			return path;
	}
	nearest_init(&near, both);
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		if (!cli_commands[i]->hidden)
			nearest_try(&near, cli_commands[i]->path);
	return near.name;
}

void usage_unknown(char *const *words, size_t n, struct err *e)
{
	char both[128];
	const char *near;

	if (n > 1)
		snprintf(both, sizeof(both), "%s %s", words[0], words[1]);
	else
		snprintf(both, sizeof(both), "%s", words[0]);
	near = nearest_command(words[0], both);
	if (near == NULL && n > 1)
		near = nearest_command(words[0], words[0]);
	if (n == 1 || !usage_is_group(words[0]))
		snprintf(both, sizeof(both), "%s", words[0]);
	if (near != NULL)
		err_set(e, ERR_BAD_REQUEST,
			"there is no command \"%s\": did "
			"you mean `sortie %s`?",
			both, near);
	else
		err_set(e, ERR_BAD_REQUEST,
			"there is no command \"%s\": "
			"`sortie help` lists them",
			both);
}
