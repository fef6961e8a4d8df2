/* `sortie __complete`: gives the shell's completion the words that may stand
 * next, from the table of commands. */
#include <stdio.h>
#include <string.h>
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/settings.h"
#include "clients/usage.h"

static bool begins(const char *word, const char *prefix)
{
	return strncmp(word, prefix, strlen(prefix)) == 0;
}

static void print_if(const char *word, size_t len, const char *prefix)
{
	if (len >= strlen(prefix) && begins(word, prefix))
		printf("%.*s\n", (int)len, word);
}

/* The first words, or the second ones of a group, once each. */
static void print_commands(const char *group, const char *prefix)
{
	const char *last = NULL;
	size_t last_len = 0;

	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		const char *word = cli_commands[i]->path;
		size_t len;

		if (cli_commands[i]->hidden)
			continue;
		if (group != NULL) {
			if (!begins(word, group) || word[strlen(group)] != ' ')
				continue;
			word += strlen(group) + 1;
		}
		len = strcspn(word, " ");
		/* Commands of a group stand together in the table. */
		if (last != NULL && len == last_len &&
		    strncmp(word, last, len) == 0)
			continue;
		print_if(word, len, prefix);
		last = word;
		last_len = len;
	}
}

static void print_options(struct cli *c, const struct cli_command *command,
			  const char *prefix)
{
	size_t n;
	const struct opt *opts = settings_opts(c->arena, command, &n);

	for (size_t i = 0; i < n; i++) {
		/* A flag that is on by itself is written to turn it off. */
		bool on = opts[i].kind == OPT_FLAG && opts[i].def != NULL &&
			  strcmp(opts[i].def, "true") == 0;
		char *word = arena_printf(c->arena, "--%s%s", on ? "no-" : "",
					  opts[i].name);

		if ((opts[i].flags & OPT_HIDDEN) == 0)
			print_if(word, strlen(word), prefix);
	}
}

/* "state" of "--state" or "-s"; NULL when it is neither. */
static const char *option_name(const struct cli_command *command,
			       const char *word)
{
	if (begins(word, "--"))
		return word + 2;
	for (size_t i = 0; word[0] == '-' && i < command->n_opts; i++)
		if (command->opts[i].letter != '\0' &&
		    command->opts[i].letter == word[1] && word[2] == '\0')
			return command->opts[i].name;
	return NULL;
}

static bool print_values(const struct cli_command *command, const char *word,
			 const char *prefix)
{
	const char *name = option_name(command, word);
	const char *p = name != NULL ? choice_words(command, name) : NULL;

	if (p == NULL)
		return false;
	while (*p != '\0') {
		size_t len = strcspn(p, " ");

		print_if(p, len, prefix);
		p += len;
		p += strspn(p, " ");
	}
	return true;
}

/* The words behind `sortie`, the last one being written. */
static int run_complete(struct cli *c)
{
	size_t n = c->n_args, n_used = 0;
	const char *last = n > 0 ? c->args[n - 1] : "";
	const struct cli_command *command;

	if (n <= 1) {
		print_commands(NULL, last);
		return CLI_OK;
	}
	command = usage_find(c->args, n - 1, &n_used);
	if (command == NULL) {
		if (n == 2 || strcmp(c->args[0], "help") == 0)
			print_commands(c->args[n - 2], last);
		return CLI_OK;
	}
	if (strcmp(command->path, "help") == 0 && last[0] != '-')
		print_commands(n > 2 ? c->args[1] : NULL, last);
	else if (print_values(command, c->args[n - 2], last))
		return CLI_OK;
	else if (last[0] == '-')
		print_options(c, command, last);
	return CLI_OK;
}

const struct cli_command command_complete = {
	.path = "__complete",
	.args = "[--] [WORD...]",
	.brief = "print the words that may stand next",
	.hidden = true,
	.max_args = -1,
	.stop_at_word = true,
	.run = run_complete,
};
