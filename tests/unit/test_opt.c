/* Options from the command line, the environment, a file and the table. */
#include "lib/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/unit/unit.h"

struct settings {
	bool verbose;
	bool colour; /* on unless told otherwise */
	const char *listen;
	const char *token;
	const char *nothing;
	const char **pools;
	const char **env;
	int64_t slots;
	int64_t period_s;
	int64_t memory;
	const char *config;
};

#define AT(member) offsetof(struct settings, member)

/* clang-format off */
static const struct opt opts[] = {
	{ "verbose", 'v', OPT_FLAG, AT(verbose), 0, 0, 0, NULL, "T_VERBOSE",
	  NULL, "Say more." },
	{ "colour", 0, OPT_FLAG, AT(colour), 0, 0, 0, "true", NULL, NULL,
	  "Do not colour the output." },
	{ "listen", 'l', OPT_STR, AT(listen), 0, 0, 0, "127.0.0.1:7900",
	  "T_LISTEN", "ADDRESS",
	  "Where to listen: an address and a port, or the path of a socket, "
	  "whichever suits the machine better." },
	{ "token", 0, OPT_STR, AT(token), OPT_SECRET, 0, 0, "none", "T_TOKEN",
	  "TOKEN", "What to show the server." },
	{ "nothing", 0, OPT_STR, AT(nothing), OPT_HIDDEN, 0, 0, NULL, NULL,
	  NULL, NULL },
	{ "pools", 'p', OPT_LIST, AT(pools), 0, 0, 0, "a, b", "T_POOLS",
	  "NAMES", "Pools.\nSeveral." },
	{ "env", 'e', OPT_MULTI, AT(env), 0, 0, 0, NULL, NULL, "K=V",
	  ".starts with a dot and has a \\ in it" },
	{ "slots", 's', OPT_INT, AT(slots), 0, 1, 100, "4", "T_SLOTS", "N",
	  "How many." },
	{ "period", 0, OPT_SECONDS, AT(period_s), 0, 0, 86400, "1 m", NULL,
	  "TIME", "How often." },
	{ "memory", 'm', OPT_BYTES, AT(memory), 0, 1024, INT64_C(1) << 40,
	  "2 GiB", NULL, "SIZE", "How much." },
	{ "config", 'c', OPT_STR, AT(config), OPT_CLI_ONLY, 0, 0, NULL, NULL,
	  "FILE", "The file." },
};
/* clang-format on */

#define N_OPTS UNIT_N(opts)

/* Each test begins with begin and ends with end. */
static struct arena *a;
static struct settings s;
static struct err e;
static char **rest;
static size_t n_rest;

static void begin(void)
{
	a = arena_new();
	memset(&s, 0xee, sizeof(s));
	e = (struct err)ERR_INIT;
	opt_defaults(a, opts, N_OPTS, &s);
}

static void end(void)
{
	arena_free(a);
}

/* words: NULL-terminated, without the program's name. */
static bool args_of(bool stop_at_word, const char *const *words)
{
	char *argv[32] = { arena_strdup(a, "prog") };
	int argc = 1;

	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = arena_strdup(a, words[argc - 1]);
	return opt_read_args(a, opts, N_OPTS, &s, argc, argv, stop_at_word,
			     &rest, &n_rest, &e);
}

#define ARGS(...) args_of(false, (const char *const[]){ __VA_ARGS__, NULL })
#define ARGS_TO_WORD(...) \
	args_of(true, (const char *const[]){ __VA_ARGS__, NULL })

static bool file_mode(const char *text, mode_t mode)
{
	const char *path = unit_file(text, strlen(text));

	chmod(path, mode);
	return opt_read_file(a, opts, N_OPTS, &s, path, &e);
}

static bool file(const char *text)
{
	return file_mode(text, 0600);
}

static const char *joined(const char *const *items)
{
	const char *text = "";

	for (; *items != NULL; items++)
		text = arena_printf(a, "%s<%s>", text, *items);
	return text;
}

static void defaults_come_from_the_table(void)
{
	begin();
	CHECK_FALSE(s.verbose);
	CHECK_TRUE(s.colour);
	CHECK_STR_EQ(s.listen, "127.0.0.1:7900");
	CHECK_STR_EQ(s.token, "none");
	CHECK_NULL(s.nothing);
	CHECK_STR_EQ(joined(s.pools), "<a><b>");
	CHECK_STR_EQ(joined(s.env), "");
	CHECK_INT_EQ(s.slots, 4);
	CHECK_INT_EQ(s.period_s, 60);
	CHECK_INT_EQ(s.memory, INT64_C(2) << 30);
	end();
}

static void options_are_written_in_all_usual_ways(void)
{
	begin();
	CHECK_OK(ARGS("-vs5", "--listen=x=y", "-m", "4K", "--period", "2 h",
		      "--no-colour", "-eA=1,2", "--env", "B=", "word", "-",
		      "--no-verbose", "-v", "--", "-x", "--"),
		 e);
	CHECK_TRUE(s.verbose);
	CHECK_FALSE(s.colour);
	CHECK_STR_EQ(s.listen, "x=y");
	CHECK_INT_EQ(s.slots, 5);
	CHECK_INT_EQ(s.memory, 4096);
	CHECK_INT_EQ(s.period_s, 7200);
	CHECK_STR_EQ(joined(s.env), "<A=1,2><B=>");
	CHECK_UINT_EQ(n_rest, 4);
	CHECK_STR_EQ(joined((const char *const *)rest), "<word><-><-x><-->");
	end();
}

static void lists_replace_defaults_and_then_grow(void)
{
	begin();
	CHECK_OK(ARGS("-p", "x, y,,z ", "--pools=w"), e);
	CHECK_STR_EQ(joined(s.pools), "<x><y><z><w>");
	CHECK_OK(ARGS("--pools="), e);
	CHECK_STR_EQ(joined(s.pools), "");
	CHECK_OK(ARGS("-p", " , "), e);
	CHECK_STR_EQ(joined(s.pools), "");
	end();
}

static void a_word_ends_the_options_where_asked(void)
{
	begin();
	CHECK_OK(ARGS_TO_WORD("-v", "run", "-x", "--", "-v"), e);
	CHECK_STR_EQ(joined((const char *const *)rest), "<run><-x><--><-v>");
	CHECK_OK(ARGS_TO_WORD("-v", "--", "run", "--", "-x"), e);
	CHECK_STR_EQ(joined((const char *const *)rest), "<run><--><-x>");
	end();
}

static void no_arguments_are_fine(void)
{
	char *argv[] = { NULL };

	begin();
	CHECK_OK(opt_read_args(a, opts, N_OPTS, &s, 0, argv, false, &rest,
			       &n_rest, &e),
		 e);
	CHECK_UINT_EQ(n_rest, 0);
	CHECK_NULL(rest[0]);
	end();
}

static void wrong_arguments_are_refused_without_effect(void)
{
	static const struct {
		const char *one, *two;
		const char *message;
	} rows[] = {
		{ "--lisen", "x",
		  "unknown option \"--lisen\": did you mean "
		  "\"--listen\"?" },
		{ "--zzzzzzzz", NULL, "\"--zzzzzzzz\": see --help" },
		{ "-q", NULL, "unknown option \"-q\": see --help" },
		{ "-vq", NULL, "unknown option \"-q\"" },
		{ "--listen", NULL,
		  "option \"--listen\" needs a value: "
		  "--listen ADDRESS" },
		{ "-l", NULL, "option \"--listen\" needs a value" },
		{ "--verbose=1", NULL, "option \"--verbose\" takes no value" },
		{ "--no-listen", NULL, "unknown option \"--no-listen\"" },
		{ "--no-verbose=x", NULL,
		  "option \"--no-verbose\" takes no value" },
		{ "--no-", NULL, "unknown option \"--no-\"" },
		{ "--=x", NULL, "unknown option \"--\"" },
		{ "-s", "x", "option \"--slots\": \"x\" is no whole number" },
		{ "-s", "0", "option \"--slots\": must be between 1 and 100" },
		{ "-s101", NULL, "must be between 1 and 100" },
		{ "--period", "2 d", "must be between 0 s and 86400 s" },
		{ "-m1", NULL, "must be between 1 KiB and 1 TiB" },
		{ "-m", "much", "option \"--memory\": \"much\" is no size" },
		{ "--tokn=abc", NULL, "unknown option \"--tokn\": did" },
	};

	for (size_t i = 0; i < UNIT_N(rows); i++) {
		begin();
		CHECK_FAILS(ARGS("-v", "-e", "x", rows[i].one, rows[i].two), e,
			    ERR_BAD_REQUEST, rows[i].message);
		CHECK_FALSE(s.verbose);
		CHECK_STR_EQ(joined(s.env), "");
		end();
	}
}

static void secrets_are_not_repeated(void)
{
	begin();
	CHECK_FALSE(ARGS("--tokn=hunter2"));
	CHECK_NULL(strstr(e.text, "hunter2"));
	end();
}

static void the_environment_is_read(void)
{
	begin();
	setenv("T_LISTEN", "env:1", 1);
	setenv("T_POOLS", "e,f", 1);
	setenv("T_VERBOSE", "Yes", 1);
	setenv("T_SLOTS", "", 1);
	CHECK_OK(opt_read_env(a, opts, N_OPTS, &s, &e), e);
	CHECK_STR_EQ(s.listen, "env:1");
	CHECK_STR_EQ(joined(s.pools), "<e><f>");
	CHECK_TRUE(s.verbose);
	CHECK_INT_EQ(s.slots, 4);
	setenv("T_LISTEN", "env:2", 1);
	setenv("T_SLOTS", "many", 1);
	CHECK_FAILS(opt_read_env(a, opts, N_OPTS, &s, &e), e, ERR_BAD_REQUEST,
		    "environment variable \"T_SLOTS\": \"many\" is no whole");
	CHECK_STR_EQ(s.listen, "env:1");
	setenv("T_SLOTS", "5", 1);
	setenv("T_VERBOSE", "perhaps", 1);
	CHECK_FAILS(opt_read_env(a, opts, N_OPTS, &s, &e), e, ERR_BAD_REQUEST,
		    "\"perhaps\" is neither true nor false");
	unsetenv("T_LISTEN");
	unsetenv("T_POOLS");
	unsetenv("T_VERBOSE");
	unsetenv("T_SLOTS");
	end();
}

static void a_file_sets_every_kind(void)
{
	begin();
	CHECK_OK(file("# a comment: 99999999999\n"
		      "verbose = true; // 010 /*\n"
		      "colour = false\n"
		      "/* 5000000000\n @include \"x\" */\n"
		      "listen = \"[::1]:7900 \\\" 5000000000 # no comment\"\n"
		      "token: \"secret\";\n"
		      "pools = [ \"x\", \"y,z\" ];\n"
		      "env = ( \"A=1\", \"B=2\" )\n"
		      "slots = 7;\n"
		      "period = 90\n"
		      "memory = \"1 GiB\"\n"),
		 e);
	CHECK_TRUE(s.verbose);
	CHECK_FALSE(s.colour);
	CHECK_STR_EQ(s.listen, "[::1]:7900 \" 5000000000 # no comment");
	CHECK_STR_EQ(s.token, "secret");
	CHECK_STR_EQ(joined(s.pools), "<x><y,z>");
	CHECK_STR_EQ(joined(s.env), "<A=1><B=2>");
	CHECK_INT_EQ(s.slots, 7);
	CHECK_INT_EQ(s.period_s, 90);
	CHECK_INT_EQ(s.memory, INT64_C(1) << 30);
	CHECK_OK(file("pools = \"p, q\"; env = \"A=1,2\"; period = \"5 m\"; "
		      "memory = 999999999"),
		 e);
	CHECK_STR_EQ(joined(s.pools), "<p><q>");
	CHECK_STR_EQ(joined(s.env), "<A=1,2>");
	CHECK_INT_EQ(s.period_s, 300);
	CHECK_INT_EQ(s.memory, 999999999);
	CHECK_OK(file(""), e);
	CHECK_OK(file("pools = []; env = ()"), e);
	CHECK_STR_EQ(joined(s.pools), "");
	end();
}

static const struct {
	const char *text;
	const char *message;
} bad_files[] = {
	{ "verbose = true\n\nlisten = 5\n",
	  ":3: \"listen\": must be a string" },
	{ "lisen = \"x\"", ":1: unknown key \"lisen\": did you mean "
			   "\"listen\"?" },
	{ "qqqqqqqqqqqqq = 1", ":1: unknown key \"qqqqqqqqqqqqq\"" },
	{ "config = \"x\"", ":1: \"config\" cannot stand in a config file" },
	{ "verbose = 1", "\"verbose\": must be true or false" },
	{ "verbose = \"true\"", "\"verbose\": must be true or false" },
	{ "slots = \"5\"", "\"slots\": must be a whole number" },
	{ "slots = true", "\"slots\": must be a whole number" },
	{ "slots = 0", "\"slots\": must be between 1 and 100" },
	{ "slots = -1", "\"slots\": must be between 1 and 100" },
	{ "slots = { a = 1; }", "\"slots\": must be a whole number" },
	{ "pools = [ 1 ]", "\"pools\": must be a string or a list" },
	{ "pools = ( \"a\", ( \"b\" ) )", "\"pools\": must be a string or" },
	{ "listen = ( \"a\" )", "\"listen\": must be a string" },
	{ "period = \"soon\"", "\"period\": \"soon\" is no duration" },
	{ "memory = true", "\"memory\": must be a number of bytes or a" },
	/* what libconfig would take without a word */
	{ "\nmemory = 5000000000", ":2: number \"5000000000\" is not a plain" },
	{ "memory = 4294967296L", "number \"4294967296L\" is not" },
	{ "slots = 99999999999999999999", "is not a plain one below" },
	{ "slots = 010", "number \"010\" is not" },
	{ "slots = 0x10", "number \"0x10\" is not" },
	{ "slots = 5.0", "number \"5.0\" is not" },
	{ "slots = 5L", "number \"5L\" is not" },
	{ "slots = -1000000000", "number \"1000000000\" is not" },
	{ "\n@include \"other\"\n", ":2: files cannot be included" },
	/* syntax */
	{ "verbose = true\nslots =", ":2: syntax error" },
	{ "verbose = yes", ":1: syntax error" },
	{ "slots = 1\nslots = 2", ":2: " },
	{ "listen = \"x", ":1: syntax error" },
	{ "slots = 1\n/* open\n", ":2: a comment is not closed" },
	{ "{", ":1: syntax error" },
};

static void wrong_files_are_refused_without_effect(void)
{
	for (size_t i = 0; i < UNIT_N(bad_files); i++) {
		char text[200];

		begin();
		snprintf(text, sizeof(text), "colour = false; %s",
			 bad_files[i].text);
		if (!CHECK_FAILS(file(text), e, ERR_BAD_REQUEST,
				 bad_files[i].message))
			CHECK_STR_EQ(bad_files[i].text, "");
		CHECK_CONTAINS(e.text, "/file");
		CHECK_TRUE(s.colour);
		end();
	}
}

static void files_that_cannot_be_read_say_why(void)
{
	const char *path = unit_path("pipe"), *nul, *large;
	char *text = xcalloc(1, (1 << 20) + 2);

	begin();
	CHECK_FAILS(opt_read_file(a, opts, N_OPTS, &s, unit_path("none"), &e),
		    e, ERR_NOT_FOUND, "No such file or directory");
	CHECK_FAILS(opt_read_file(a, opts, N_OPTS, &s, unit_path("."), &e), e,
		    ERR_BAD_REQUEST, "is not a regular file");
	CHECK_INT_EQ(mkfifo(path, 0600), 0);
	CHECK_FAILS(opt_read_file(a, opts, N_OPTS, &s, path, &e), e,
		    ERR_BAD_REQUEST, "is not a regular file");
	nul = unit_file("slots = 1\0;", 11);
	CHECK_FAILS(opt_read_file(a, opts, N_OPTS, &s, nul, &e), e,
		    ERR_BAD_REQUEST, "contains a NUL byte");
	memset(text, ' ', (1 << 20) + 1);
	large = unit_file(text, (1 << 20) + 1);
	CHECK_FAILS(opt_read_file(a, opts, N_OPTS, &s, large, &e), e,
		    ERR_TOO_LARGE, "larger than 1 MiB");
	text[1 << 20] = '\0';
	CHECK_OK(file(text), e);
	free(text);
	end();
}

static void files_must_be_private_enough(void)
{
	begin();
	CHECK_FAILS(file_mode("slots = 1", 0602), e, ERR_BAD_REQUEST,
		    "may be changed by everybody: chmod o-w it");
	CHECK_OK(file_mode("slots = 1", 0644), e);
	CHECK_FAILS(file_mode("token = \"x\"", 0644), e, ERR_BAD_REQUEST,
		    "\"token\" is secret but everybody may read the file");
	CHECK_STR_EQ(s.token, "none");
	CHECK_OK(file_mode("token = \"x\"", 0640), e);
	CHECK_STR_EQ(s.token, "x");
	end();
}

static void the_command_line_beats_environment_beats_file(void)
{
	begin();
	setenv("T_LISTEN", "env", 1);
	setenv("T_SLOTS", "5", 1);
	CHECK_OK(file("listen = \"file\"; slots = 6; period = 7; "
		      "pools = [\"f\"]"),
		 e);
	CHECK_OK(opt_read_env(a, opts, N_OPTS, &s, &e), e);
	CHECK_OK(ARGS("-larg", "-p", "g"), e);
	CHECK_STR_EQ(s.listen, "arg");
	CHECK_INT_EQ(s.slots, 5);
	CHECK_INT_EQ(s.period_s, 7);
	CHECK_STR_EQ(joined(s.pools), "<g>");
	unsetenv("T_LISTEN");
	unsetenv("T_SLOTS");
	end();
}

/* True when no line of text is longer than width. */
static bool fits(const char *text, size_t width)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		if (len > width)
			return false;
		text += len + (text[len] == '\n');
	}
	return true;
}

static void help_shows_every_option_within_the_width(void)
{
	struct buf b = BUF_INIT;

	for (int width = 40; width <= 120; width += 10) {
		buf_reset(&b);
		opt_help(&b, opts, N_OPTS, width);
		CHECK_TRUE(fits(buf_str(&b), (size_t)width));
		CHECK_CONTAINS(buf_str(&b), "  -l, --listen ADDRESS");
	}
	buf_reset(&b);
	opt_help(&b, opts, N_OPTS, 80);
	CHECK_CONTAINS(
		buf_str(&b),
		"  -v, --verbose             Say more. (environment: T_VERBOSE)\n"
		"      --no-colour           Do not colour the output.\n"
		"  -l, --listen ADDRESS      Where to listen: an address and a "
		"port, or the path\n"
		"                            of a socket, whichever suits the "
		"machine better.\n"
		"                            (default: 127.0.0.1:7900; "
		"environment: T_LISTEN)\n"
		"      --token TOKEN         What to show the server. "
		"(environment: T_TOKEN)\n"
		"  -p, --pools NAMES         Pools.\n"
		"                            Several. (default: a, b; "
		"environment: T_POOLS)\n");
	CHECK_NULL(strstr(buf_str(&b), "nothing"));
	CHECK_NULL(strstr(buf_str(&b), "none"));
	buf_reset(&b);
	opt_help(&b, opts, N_OPTS, 0);
	CHECK_TRUE(fits(buf_str(&b), 40));
	buf_fini(&b);
}

static void the_manual_gets_mdoc(void)
{
	struct buf b = BUF_INIT;

	opt_mdoc(&b, opts, N_OPTS);
	CHECK_CONTAINS(buf_str(&b), ".It Fl v , Fl -verbose\nSay more.\n"
				    "The environment variable\n.Ev T_VERBOSE\n"
				    "does the same.\n"
				    ".It Fl -no-colour\n");
	CHECK_CONTAINS(buf_str(&b), ".It Fl p , Fl -pools Ar NAMES\n"
				    "Pools.\n.Pp\nSeveral.\n"
				    "The default is \\(lqa, b\\(rq.\n");
	CHECK_CONTAINS(buf_str(&b),
		       "\n\\&.starts with a dot and has a \\e in it\n");
	CHECK_NULL(strstr(buf_str(&b), "nothing"));
	CHECK_NULL(strstr(buf_str(&b), "none"));
	buf_fini(&b);
}

static void read_a_wrong_default(void *arg)
{
	static const struct opt wrong = { "slots", 0,    OPT_INT, AT(slots),
					  0,       1,    5,       "9",
					  NULL,    NULL, NULL };

	(void)arg;
	opt_defaults(arena_new(), &wrong, 1, &s);
}

static void a_wrong_default_is_a_bug(void)
{
	CHECK_DIES(read_a_wrong_default, NULL, 6,
		   "default of option \"slots\": must be between 1 and 5");
}

static const struct unit_test tests[] = {
	{ "defaults come from the table", defaults_come_from_the_table },
	{ "options are written in all usual ways",
	  options_are_written_in_all_usual_ways },
	{ "lists replace defaults and then grow",
	  lists_replace_defaults_and_then_grow },
	{ "a word ends the options where asked",
	  a_word_ends_the_options_where_asked },
	{ "no arguments are fine", no_arguments_are_fine },
	{ "wrong arguments are refused without effect",
	  wrong_arguments_are_refused_without_effect },
	{ "secrets are not repeated", secrets_are_not_repeated },
	{ "the environment is read", the_environment_is_read },
	{ "a file sets every kind", a_file_sets_every_kind },
	{ "wrong files are refused without effect",
	  wrong_files_are_refused_without_effect },
	{ "files that cannot be read say why",
	  files_that_cannot_be_read_say_why },
	{ "files must be private enough", files_must_be_private_enough },
	{ "the command line beats environment beats file",
	  the_command_line_beats_environment_beats_file },
	{ "help shows every option within the width",
	  help_shows_every_option_within_the_width },
	{ "the manual gets mdoc", the_manual_gets_mdoc },
	{ "a wrong default is a bug", a_wrong_default_is_a_bug },
};

int main(void)
{
	return unit_main("opt", tests, UNIT_N(tests));
}
