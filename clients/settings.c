/* Finds the command that a command line names and fills its options. */
#include "clients/choice.h"
#include "clients/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "clients/usage.h"

#define FIELD(name) offsetof(struct cli_settings, name)

const struct opt cli_common_opts[] = {
	{ .name = "url",
	  .letter = 'u',
	  .kind = OPT_STR,
	  .offset = FIELD(url),
	  .env = "SORTIE_URL",
	  .arg = "URL",
	  .help = "The server: http://HOST:PORT, https://HOST:PORT or "
		  "unix:/PATH. Default: this machine's server." },
	{ .name = "token",
	  .kind = OPT_STR,
	  .offset = FIELD(token),
	  .flags = OPT_SECRET,
	  .env = "SORTIE_TOKEN",
	  .arg = "TOKEN",
	  .help = "The token to show to the server. Better kept in the "
		  "environment or a file: others can read command lines." },
	{ .name = "token-file",
	  .kind = OPT_STR,
	  .offset = FIELD(token_file),
	  .env = "SORTIE_TOKEN_FILE",
	  .arg = "FILE",
	  .help = "A file whose first line is the token." },
	{ .name = "config",
	  .kind = OPT_STR,
	  .offset = FIELD(config),
	  .flags = OPT_CLI_ONLY,
	  .env = "SORTIE_CONFIG",
	  .arg = "FILE",
	  .help = "Read these options from FILE instead of "
		  "~/.config/sortie/config." },
	{ .name = "ca-file",
	  .kind = OPT_STR,
	  .offset = FIELD(ca_file),
	  .env = "SORTIE_CA_FILE",
	  .arg = "FILE",
	  .help = "Trust the certificate authorities in FILE instead of the "
		  "system's." },
	{ .name = "cert",
	  .kind = OPT_STR,
	  .offset = FIELD(cert),
	  .arg = "FILE",
	  .help = "A client certificate to show." },
	{ .name = "key-file",
	  .kind = OPT_STR,
	  .offset = FIELD(key),
	  .arg = "FILE",
	  .help = "The key of the client certificate." },
	{ .name = "insecure",
	  .kind = OPT_FLAG,
	  .offset = FIELD(insecure),
	  .help = "Do not check the server's certificate." },
	{ .name = "patience",
	  .kind = OPT_SECONDS,
	  .offset = FIELD(patience_s),
	  .max = 86400,
	  .arg = "TIME",
	  .env = "SORTIE_PATIENCE",
	  .help = "How long to go on trying while the server is away. "
		  "Default: 60 s once it has answered, else not at all." },
	{ .name = "json",
	  .kind = OPT_FLAG,
	  .offset = FIELD(json),
	  .flags = OPT_CLI_ONLY,
	  .help = "Print the server's answer as one JSON document." },
	{ .name = "ndjson",
	  .kind = OPT_FLAG,
	  .offset = FIELD(ndjson),
	  .flags = OPT_CLI_ONLY,
	  .help = "Print lists as one JSON object a line." },
	{ .name = "quiet",
	  .letter = 'q',
	  .kind = OPT_FLAG,
	  .offset = FIELD(quiet),
	  .flags = OPT_CLI_ONLY,
	  .help = "Print only ids, and no progress." },
	{ .name = "help",
	  .letter = 'h',
	  .kind = OPT_FLAG,
	  .offset = FIELD(help),
	  .flags = OPT_CLI_ONLY,
	  .help = "Tell what the command does and takes." },
};

const size_t cli_common_n =
	sizeof(cli_common_opts) / sizeof(cli_common_opts[0]);

const struct opt *settings_opts(struct arena *a,
				const struct cli_command *command, size_t *n)
{
	struct opt *all;

	*n = cli_common_n + command->n_opts;
	all = ARENA_ARRAY(a, struct opt, *n);
	if (command->n_opts > 0)
		memcpy(all, command->opts, command->n_opts * sizeof(*all));
	memcpy(all + command->n_opts, cli_common_opts, sizeof(cli_common_opts));
	return all;
}

char *settings_user_dir(struct arena *a, const char *kind)
{
	static const struct {
		const char *kind, *env, *below_home;
	} dirs[] = {
		{ "config", "XDG_CONFIG_HOME", ".config" },
		{ "state", "XDG_STATE_HOME", ".local/state" },
		{ "data", "XDG_DATA_HOME", ".local/share" },
	};
	const char *home = getenv("HOME");

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		const char *value;

		if (strcmp(dirs[i].kind, kind) != 0)
			continue;
		value = getenv(dirs[i].env);
		if (value != NULL && value[0] == '/')
			return arena_printf(a, "%s/sortie", value);
		if (home != NULL && home[0] == '/')
			return arena_printf(a, "%s/%s/sortie", home,
					    dirs[i].below_home);
	}
	return NULL;
}

bool settings_make_dirs(char *path)
{
	for (char *p = strchr(path + 1, '/'); p != NULL;
	     p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST) {
			*p = '/';
			return false;
		}
		*p = '/';
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

struct command_line {
	int n_head, n_tail;
	char **head, **tail; /* words before and behind the command's name */
	const struct opt *opts;
	size_t n_opts;
};

/* Options before the command's name are the common ones; the first other word
 * begins the name. */
static bool split(struct cli *c, int argc, char **argv,
		  struct command_line *line, char ***rest, size_t *n_rest,
		  struct err *e)
{
	struct cli_settings *scratch = ARENA_NEW(c->arena, struct cli_settings);

	if (!opt_read_args(c->arena, cli_common_opts, cli_common_n, scratch,
			   argc, argv, true, rest, n_rest, e))
		return false;
	c->settings = scratch;
	line->head = argv;
	line->n_head = argc - (int)*n_rest;
	return true;
}

static const char *config_path(struct cli *c, const struct cli_settings *s)
{
	const char *path = s->config ? s->config : getenv("SORTIE_CONFIG");
	char *dir;

	if (path != NULL && path[0] != '\0')
		return path;
	dir = settings_user_dir(c->arena, "config");
	if (dir == NULL)
		return NULL;
	path = arena_printf(c->arena, "%s/config", dir);
	return access(path, F_OK) == 0 ? path : NULL;
}

static bool read_words(struct cli *c, struct command_line *line, void *out,
		       struct err *e)
{
	char **none;
	size_t n_none;

	return opt_read_args(c->arena, cli_common_opts, cli_common_n, out,
			     line->n_head, line->head, true, &none, &n_none,
			     e) &&
	       opt_read_args(c->arena, line->opts, line->n_opts, out,
			     line->n_tail, line->tail, c->command->stop_at_word,
			     &c->args, &c->n_args, e);
}

static bool in_env(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0';
}

/* Twice over the words: the first time only to learn of --config and --help,
 * which come before everything else. A token and a token file are two words
 * for one thing: the one nearer to the command line counts. */
static enum settings_result fill(struct cli *c, struct command_line *line,
				 struct err *e)
{
	size_t size = c->command->opts_size ? c->command->opts_size
					    : sizeof(struct cli_settings);
	struct cli_settings *words = arena_alloc(c->arena, size);
	struct cli_settings *s = arena_alloc(c->arena, size);
	const char *config;

	if (!read_words(c, line, words, e))
		return SETTINGS_BAD;
	if (words->help)
		return SETTINGS_HELP;
	config = config_path(c, words);
	opt_defaults(c->arena, line->opts, line->n_opts, s);
	if (config != NULL && !opt_read_file(c->arena, cli_common_opts,
					     cli_common_n, s, config, e))
		return SETTINGS_BAD;
	if (!opt_read_env(c->arena, line->opts, line->n_opts, s, e))
		return SETTINGS_BAD;
	if (in_env("SORTIE_TOKEN_FILE") && !in_env("SORTIE_TOKEN"))
		s->token = NULL;
	if (words->token_file != NULL && words->token == NULL)
		s->token = NULL;
	if (!read_words(c, line, s, e))
		return SETTINGS_BAD;
	c->settings = s;
	return choice_check(c, e) ? SETTINGS_RUN : SETTINGS_BAD;
}

enum settings_result settings_read(struct cli *c, int argc, char **argv,
				   struct err *e)
{
	struct command_line line = { 0 };
	size_t n_rest, n_used = 0;
	char **rest;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		argv[1] = arena_strdup(c->arena, "version");
	if (!split(c, argc, argv, &line, &rest, &n_rest, e))
		return SETTINGS_BAD;
	c->args = rest;
	c->n_args = n_rest;
	if (n_rest == 0)
		return SETTINGS_HELP;
	c->command = usage_find(rest, n_rest, &n_used);
	if (c->command == NULL) {
		bool help = c->settings->help ||
			    (n_rest > 1 && (strcmp(rest[1], "--help") == 0 ||
					    strcmp(rest[1], "-h") == 0));

		if (usage_is_group(rest[0]) && (help || n_rest == 1))
			return SETTINGS_HELP;
		usage_unknown(rest, n_rest, e);
		return SETTINGS_BAD;
	}
	line.opts = settings_opts(c->arena, c->command, &line.n_opts);
	/* The word in front stands where argv[0] does. */
	line.tail = argv + line.n_head + n_used - 1;
	line.n_tail = (int)(n_rest - n_used) + 1;
	return fill(c, &line, e);
}
