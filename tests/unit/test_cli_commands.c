/* The table of commands: complete, without contradictions, and found by the
 * words that people write. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "clients/choice.h"
#include "clients/jobview.h"
#include "clients/settings.h"
#include "clients/usage.h"
#include "tests/unit/unit.h"

static struct arena *a;
static struct err e;

static void each_command_is_described(void)
{
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		const struct cli_command *c = cli_commands[i];

		CHECK_TRUE(c->run != NULL);
		CHECK_TRUE(islower((unsigned char)c->brief[0]));
		CHECK_TRUE(c->brief[strlen(c->brief) - 1] != '.');
		CHECK_TRUE(c->args != NULL || c->max_args == 0);
		CHECK_TRUE(c->max_args < 0 || c->min_args <= c->max_args);
		CHECK_TRUE((c->n_opts > 0) == (c->opts_size > 0));
	}
}

static void check_option(const struct cli_command *c, const struct opt *opts,
			 size_t n, size_t i)
{
	CHECK_TRUE(opts[i].help != NULL && opts[i].help[0] != '\0');
	CHECK_TRUE(opts[i].kind == OPT_FLAG || opts[i].arg != NULL);
	for (size_t k = i + 1; k < n; k++) {
		if (!CHECK_TRUE(strcmp(opts[i].name, opts[k].name) != 0) ||
		    !CHECK_TRUE(opts[i].letter == 0 ||
				opts[i].letter != opts[k].letter))
			CHECK_STR_EQ(c->path, opts[i].name);
		CHECK_TRUE(opts[i].offset != opts[k].offset);
	}
}

static void options_are_told_apart(void)
{
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		size_t n;
		const struct opt *opts = settings_opts(a, cli_commands[i], &n);

		for (size_t k = 0; k < n; k++)
			check_option(cli_commands[i], opts, n, k);
	}
}

static const char *found(const char *first, const char *second, size_t *used)
{
	char *words[] = { arena_strdup(a, first), arena_strdup(a, second),
			  NULL };
	const struct cli_command *c;

	*used = 0;
	c = usage_find(words, second ? 2 : 1, used);
	return c ? c->path : NULL;
}

static void commands_are_found_by_their_words(void)
{
	size_t used;

	CHECK_STR_EQ(found("job", "list", &used), "job list");
	CHECK_UINT_EQ(used, 2);
	CHECK_STR_EQ(found("summary", "x", &used), "summary");
	CHECK_UINT_EQ(used, 1);
	CHECK_NULL(found("job", NULL, &used));
	CHECK_NULL(found("list", "job", &used));
	CHECK_TRUE(usage_is_group("job"));
	CHECK_FALSE(usage_is_group("jo"));
	CHECK_FALSE(usage_is_group("summary"));
}

static const char *unknown(const char *first, const char *second)
{
	char *words[] = { arena_strdup(a, first), arena_strdup(a, second),
			  NULL };

	e = (struct err)ERR_INIT;
	usage_unknown(words, second ? 2 : 1, &e);
	return e.text;
}

static void the_nearest_command_is_suggested(void)
{
	CHECK_CONTAINS(unknown("job", "lsit"),
		       "did you mean `sortie job list`?");
	CHECK_CONTAINS(unknown("jbo", "list"),
		       "did you mean `sortie job list`?");
	CHECK_CONTAINS(unknown("submit", "x.json"),
		       "did you mean `sortie job submit`?");
	CHECK_CONTAINS(unknown("sumary", NULL),
		       "did you mean `sortie summary`?");
	CHECK_CONTAINS(unknown("frobnicate", NULL), "`sortie help` lists them");
}

static enum settings_result parse(struct cli *c, int argc,
				  const char *const *words)
{
	char **argv = ARENA_ARRAY(a, char *, argc + 1);

	for (int i = 0; i < argc; i++)
		argv[i] = arena_strdup(a, words[i]);
	*c = (struct cli){ .arena = a };
	e = (struct err)ERR_INIT;
	return settings_read(c, argc, argv, &e);
}

#define PARSE(c, ...)                                                          \
	parse(c,                                                               \
	      (int)(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *)), \
	      (const char *const[]){ __VA_ARGS__ })

static void common_options_stand_before_or_behind_the_name(void)
{
	struct cli c;

	CHECK_INT_EQ(PARSE(&c, "sortie", "--json", "job", "list", "-q"),
		     SETTINGS_RUN);
	CHECK_TRUE(c.settings->json);
	CHECK_TRUE(c.settings->quiet);
	CHECK_UINT_EQ(c.n_args, 0);
	CHECK_STR_EQ(c.command->path, "job list");
}

static void the_command_line_comes_before_the_environment(void)
{
	struct cli c;

	setenv("SORTIE_URL", "http://from-environment", 1);
	CHECK_INT_EQ(PARSE(&c, "sortie", "whoami"), SETTINGS_RUN);
	CHECK_STR_EQ(c.settings->url, "http://from-environment");
	CHECK_INT_EQ(PARSE(&c, "sortie", "whoami", "-u", "http://line"),
		     SETTINGS_RUN);
	CHECK_STR_EQ(c.settings->url, "http://line");
	unsetenv("SORTIE_URL");
}

static void the_environment_comes_before_the_file(void)
{
	static const char text[] = "url = \"http://file\";\n"
				   "patience = \"5 s\";\n";
	const char *path = unit_file(text, sizeof(text) - 1);
	struct cli c;

	CHECK_INT_EQ(PARSE(&c, "sortie", "--config", path, "whoami"),
		     SETTINGS_RUN);
	CHECK_STR_EQ(c.settings->url, "http://file");
	CHECK_INT_EQ(c.settings->patience_s, 5);
	setenv("SORTIE_URL", "http://environment", 1);
	CHECK_INT_EQ(PARSE(&c, "sortie", "whoami", "--config", path),
		     SETTINGS_RUN);
	CHECK_STR_EQ(c.settings->url, "http://environment");
	unsetenv("SORTIE_URL");
}

static void a_wrong_key_in_the_file_is_refused(void)
{
	static const char text[] = "ulr = \"http://file\";\n";
	const char *path = unit_file(text, sizeof(text) - 1);
	struct cli c;

	CHECK_INT_EQ(PARSE(&c, "sortie", "whoami", "--config", path),
		     SETTINGS_BAD);
	CHECK_CONTAINS(e.text, "ulr");
}

static void the_words_of_a_command_to_run_are_its_own(void)
{
	struct cli c;

	CHECK_INT_EQ(PARSE(&c, "sortie", "job", "run", "--name", "n", "--",
			   "ls", "--json", "-q"),
		     SETTINGS_RUN);
	CHECK_UINT_EQ(c.n_args, 3);
	CHECK_STR_EQ(c.args[0], "ls");
	CHECK_STR_EQ(c.args[1], "--json");
	CHECK_FALSE(c.settings->json);
	CHECK_INT_EQ(PARSE(&c, "sortie", "job", "run", "ls", "--help"),
		     SETTINGS_RUN);
	CHECK_UINT_EQ(c.n_args, 2);
}

static void help_comes_before_everything_else(void)
{
	struct cli c;

	CHECK_INT_EQ(PARSE(&c, "sortie", "job", "list", "--help"),
		     SETTINGS_HELP);
	CHECK_INT_EQ(PARSE(&c, "sortie", "job"), SETTINGS_HELP);
	CHECK_INT_EQ(PARSE(&c, "sortie"), SETTINGS_HELP);
	CHECK_INT_EQ(PARSE(&c, "sortie", "--version"), SETTINGS_RUN);
	CHECK_STR_EQ(c.command->path, "version");
}

static int exit_of(const char *text)
{
	struct json_object *o;

	REQUIRE(json_parse(a, text, strlen(text), &o, &e));
	return jobview_exit(o);
}

static void ends_have_their_exit_status(void)
{
	CHECK_INT_EQ(exit_of("{\"state\":\"finished\",\"exit_code\":0}"), 0);
	CHECK_INT_EQ(exit_of("{\"state\":\"failed\",\"exit_code\":3}"), 3);
	CHECK_INT_EQ(exit_of("{\"state\":\"failed\",\"signal\":9}"), 137);
	CHECK_INT_EQ(exit_of("{\"state\":\"failed\"}"), 125);
	CHECK_INT_EQ(exit_of("{\"state\":\"timelimit\",\"signal\":15}"), 124);
	CHECK_INT_EQ(exit_of("{\"state\":\"cancelled\",\"signal\":15}"), 125);
	CHECK_INT_EQ(exit_of("{\"state\":\"lost\"}"), 125);
	CHECK_INT_EQ(exit_of("{}"), 125);
}

static void check_choice(const struct cli_command *c,
			 const struct cli_choice *choice)
{
	size_t i = 0;

	while (i < c->n_opts && strcmp(c->opts[i].name, choice->option) != 0)
		i++;
	if (!CHECK_TRUE(i < c->n_opts))
		CHECK_STR_EQ(c->path, choice->option);
	else
		CHECK_TRUE(c->opts[i].kind == OPT_STR ||
			   c->opts[i].kind == OPT_LIST);
}

static void words_to_choose_from_belong_to_options(void)
{
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		for (const struct cli_choice *choice = cli_commands[i]->choices;
		     choice != NULL && choice->option != NULL; choice++)
			check_choice(cli_commands[i], choice);
}

/* Whatever has states, roles or formats says which. */
static void such_options_say_what_they_take(void)
{
	static const char *const names[] = { "state", "role", "format", "names",
					     "on-failure" };

	for (size_t i = 0; cli_commands[i] != NULL; i++)
		for (size_t k = 0; k < UNIT_N(names); k++) {
			const struct cli_command *c = cli_commands[i];
			size_t o = 0;

			while (o < c->n_opts &&
			       strcmp(c->opts[o].name, names[k]) != 0)
				o++;
			if (o < c->n_opts &&
			    !CHECK_NOT_NULL(choice_words(c, names[k])))
				CHECK_STR_EQ(c->path, names[k]);
		}
}

static void a_wrong_word_is_blamed_on_its_option(void)
{
	struct cli c;

	CHECK_INT_EQ(PARSE(&c, "sortie", "workflow", "create", "w.json",
			   "--state", "bogus"),
		     SETTINGS_BAD);
	CHECK_STR_EQ(e.text, "option \"--state\": must be held, template, "
			     "defined or running, not \"bogus\"");
	CHECK_INT_EQ(PARSE(&c, "sortie", "job", "list", "-s", "live,done"),
		     SETTINGS_BAD);
	CHECK_CONTAINS(e.text, "not \"done\"");
	CHECK_INT_EQ(PARSE(&c, "sortie", "job", "list", "-s", "live,held"),
		     SETTINGS_RUN);
	CHECK_INT_EQ(PARSE(&c, "sortie", "workflow", "create", "--names",
			   "inherit:run7"),
		     SETTINGS_RUN);
	CHECK_INT_EQ(PARSE(&c, "sortie", "workflow", "create", "--names",
			   "inherit:"),
		     SETTINGS_BAD);
	CHECK_INT_EQ(
		PARSE(&c, "sortie", "workflow", "create", "--names", "stick"),
		SETTINGS_BAD);
}

static const struct unit_test tests[] = {
	{ "each command is described", each_command_is_described },
	{ "options are told apart", options_are_told_apart },
	{ "commands are found by their words",
	  commands_are_found_by_their_words },
	{ "the nearest command is suggested",
	  the_nearest_command_is_suggested },
	{ "common options stand before or behind the name",
	  common_options_stand_before_or_behind_the_name },
	{ "the command line comes before the environment",
	  the_command_line_comes_before_the_environment },
	{ "the environment comes before the file",
	  the_environment_comes_before_the_file },
	{ "a wrong key in the file is refused",
	  a_wrong_key_in_the_file_is_refused },
	{ "the words of a command to run are its own",
	  the_words_of_a_command_to_run_are_its_own },
	{ "help comes before everything else",
	  help_comes_before_everything_else },
	{ "ends have their exit status", ends_have_their_exit_status },
	{ "words to choose from belong to options",
	  words_to_choose_from_belong_to_options },
	{ "such options say what they take", such_options_say_what_they_take },
	{ "a wrong word is blamed on its option",
	  a_wrong_word_is_blamed_on_its_option },
};

int main(void)
{
	int status;

	unsetenv("SORTIE_URL");
	unsetenv("SORTIE_CONFIG");
	setenv("HOME", "/nonexistent", 1);
	unsetenv("XDG_CONFIG_HOME");
	a = arena_new();
	status = unit_main("cli_commands", tests, UNIT_N(tests));
	arena_free(a);
	return status;
}
